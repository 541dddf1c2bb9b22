using System.Net;
using System.Reflection;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Core;

// What a server is and does as a whole. Not on the hot path; any thread.
public sealed partial class ProxyServer
{
    /// <summary>Version of this library, as in "0.1.0", or "0.1.0+c67e497a" where the commit is known.</summary>
    public static string Version { get; } = ShortVersion();

    /// <summary>When the server was made, in UTC.</summary>
    public DateTimeOffset CreatedAt { get; private init; }

    /// <summary>The server at this moment. Thread-safe.</summary>
    public ServerView DescribeServer()
    {
        ServerState state = Volatile.Read(ref _stopped) ? (_hasEnded ? ServerState.Stopped : ServerState.Draining) : IsServing ? ServerState.Serving : ServerState.Starting;
        ListenerView[] listeners = [.. Snapshot.Listeners.Select(listener => new ListenerView(
            listener.Name, listener.Config.Address, Text(listener.State.Socket?.LocalEndPoint),
            listener.Tcp is not null ? listener.Tls is null ? "tcp" : "tls" : listener.Tls is not null ? "https" : listener.RedirectsTo is not null ? "redirect" : "http"))];
        return new(state, CreatedAt, _time.GetUtcNow() - CreatedAt, Transport, LoopCount, listeners, LastReload);
    }

    private volatile bool _hasEnded;

    private static string? Text(EndPoint? endPoint) => endPoint is null ? null : endPoint.AddressFamily == System.Net.Sockets.AddressFamily.Unix ? $"unix:{endPoint}" : endPoint.ToString();

    private static string ShortVersion()
    {
        const int CommitLength = 8;
        string version = typeof(ProxyServer).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
        int plus = version.IndexOf('+', StringComparison.Ordinal);
        return plus > 0 && version.Length > plus + 1 + CommitLength ? version[..(plus + 1 + CommitLength)] : version;
    }
}

/// <summary>A server as a whole, as it was at one moment.</summary>
/// <param name="State">Whether it takes requests.</param>
/// <param name="StartedAt">When it was made, in UTC.</param>
/// <param name="Uptime">How long ago that is.</param>
/// <param name="Transport">"epoll" or "sockets".</param>
/// <param name="Loops">Number of event loops.</param>
/// <param name="Listeners">Its listeners.</param>
/// <param name="LastReload">The last attempt to replace the configuration; null for none.</param>
public sealed record ServerView(ServerState State, DateTimeOffset StartedAt, TimeSpan Uptime, string Transport, int Loops, IReadOnlyList<ListenerView> Listeners, ReloadView? LastReload);

/// <summary>A listener as it was at one moment.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Address">As configured.</param>
/// <param name="Bound">Address with its real port; null while it is not bound.</param>
/// <param name="Protocol">"http", "https", "tcp", "tls" (TCP within TLS), or "redirect" (to HTTPS).</param>
public sealed record ListenerView(string Name, string Address, string? Bound, string Protocol);

/// <summary>Whether a server takes requests.</summary>
public enum ServerState
{
    /// <summary>Not yet.</summary>
    Starting,
    /// <summary>It does.</summary>
    Serving,
    /// <summary>It finishes what it has.</summary>
    Draining,
    /// <summary>It has ended.</summary>
    Stopped,
}
