using System.Globalization;
using System.Net;
using LoadBalancer.Admin;
using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Transport;
using LoadBalancer.Edge.Logging;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Edge.Upgrading;

/// <summary>The process's place between the one before it and the one after: takes sockets over at its start, and hands them on at its end.</summary>
internal sealed class Succession : IDisposable
{
    private readonly HandoverClient? _before;
    private HandoverServer? _after;

    private Succession(HandoverClient? before) => _before = before;

    /// <summary>Begins it: with the sockets of systemd (sd_listen_fds(3)) where it has passed any, and those of the process that serves where this one is to take over from it.</summary>
    /// <exception cref="IOException">Nobody hands anything over.</exception>
    internal static Succession Begin(ProxyConfig config, bool takesOver)
    {
        const int FirstDescriptor = 3, DescriptorsMax = 1024;
        if (OperatingSystem.IsLinux() && Environment.GetEnvironmentVariable("LISTEN_PID") == Environment.ProcessId.ToString(CultureInfo.InvariantCulture)
            && int.TryParse(Environment.GetEnvironmentVariable("LISTEN_FDS"), NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count <= DescriptorsMax)
        {
            for (int i = 0; i < count; i++) InheritedSockets.TryAdd(FirstDescriptor + i, hasFile: false);
        }
        if (!takesOver) return new(null);
        string address = config.Admin?.Address ?? DefaultAddress.Find();
        string? path = AddressParser.TryParseListener(address, out EndPoint? endPoint, out _) ? HandoverSocket.PathOf(endPoint) : null;
        return new(HandoverClient.Take(path ?? throw new IOException($"{Upgrader.TakeOverOption}: sockets are handed over beside an admin listener that is a Unix socket; it is \"{address}\"")));
    }

    /// <summary>What the process before was told holds here too. Before the server starts.</summary>
    internal void Apply(ProxyServer server, AdminServer? admin)
    {
        if (_before is null) return;
        server.IsTakingOver = true;
        if (admin is not null) _before.State.Apply(server, admin);
    }

    /// <summary>The server serves: the process before may leave, and the next one may come.</summary>
    internal void Serving(ProxyServer server, AdminServer? admin, ILogger logger)
    {
        IReadOnlyList<(string Address, bool HasFile)> left = InheritedSockets.CloseRest();
        if (left.Count > 0) logger.SocketsLeft(string.Join(", ", left.Select(one => one.Address)));
        if (_before is not null)
        {
            _before.Serving();
            server.ClaimSockets();
            admin?.Server?.ClaimSocket();
            foreach ((string address, bool hasFile) in left)
                if (hasFile) File.Delete(address);
        }
        _after = HandoverServer.TryStart(server, admin, logger);
        if (_after is not null) admin!.Upgrader = new Upgrader(server, _after, logger);
    }

    /// <summary>Ends with the process that has taken over; never, where none does.</summary>
    internal Task<int> Taken => _after?.Taken ?? Never;

    private static readonly Task<int> Never = new TaskCompletionSource<int>().Task;

    /// <summary>The other process serves: this one answers what it has, until nobody is left or the time is up.</summary>
    internal static async Task LeaveAsync(ProxyServer server, AdminServer admin, CancellationToken cut)
    {
        if (admin.Server is { } requests)
        {
            requests.Socket?.HandOver();
            await admin.StopAsync();
        }
        await server.LeaveAsync(server.Config.DrainTimeout, cut);
    }

    public void Dispose()
    {
        _before?.Dispose();
        _after?.Dispose();
    }
}
