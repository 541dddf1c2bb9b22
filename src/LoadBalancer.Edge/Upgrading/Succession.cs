using System.Globalization;
using System.Net;
using LoadBalancer.Admin;
using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Transport;
using LoadBalancer.Edge.Logging;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Edge.Upgrading;

/// <summary>To take over from the process that serves: by that path, or where its admin listener is that of this one's configuration (null).</summary>
internal sealed record TakeOver(string? Path);

/// <summary>The process's place between the one before it and the one after: takes sockets over at its start, and hands them on at its end.</summary>
internal sealed class Succession : IDisposable
{
    private readonly HandoverClient? _before;
    private HandoverServer? _after;

    private Succession(HandoverClient? before) => _before = before;

    /// <summary>Begins it: with the sockets of systemd (sd_listen_fds(3)) where it has passed any, and those of the process that serves where this one is to take over from it.</summary>
    /// <exception cref="IOException">Nobody hands anything over.</exception>
    /// <param name="config">What is to be served.</param>
    /// <param name="takeOver">Whether, and from where; null for no.</param>
    internal static Succession Begin(ProxyConfig config, TakeOver? takeOver)
    {
        const int FirstDescriptor = 3, DescriptorsMax = 1024;
        if (OperatingSystem.IsLinux() && Environment.GetEnvironmentVariable("LISTEN_PID") == Environment.ProcessId.ToString(CultureInfo.InvariantCulture)
            && int.TryParse(Environment.GetEnvironmentVariable("LISTEN_FDS"), NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count <= DescriptorsMax)
        {
            for (int i = 0; i < count; i++) InheritedSockets.TryAdd(FirstDescriptor + i, hasFile: false);
        }
        if (takeOver is null) return new(null);
        if (takeOver.Path is { } asked) return new(HandoverClient.Take(asked));
        string address = config.Admin?.Address ?? DefaultAddress.Find();
        string? path = AddressParser.TryParseListener(address, out EndPoint? endPoint, out _) ? HandoverSocket.PathOf(endPoint) : null;
        return new(HandoverClient.Take(path ?? throw new IOException($"{Upgrader.TakeOverOption}: sockets are handed over beside an admin listener that is a Unix socket; it is \"{address}\"")));
    }

    /// <summary>What the process before was told holds here too. Before the server starts.</summary>
    internal async Task ApplyAsync(ProxyServer server, AdminServer? admin)
    {
        if (_before is null) return;
        server.IsTakingOver = true;
        if (admin is null) return;
        admin.AcceptsLater = true;
        await _before.State.ApplyAsync(HandoverState.Empty, server, admin);
    }

    /// <summary>The server serves: the process before may leave, and the next one may come. False where that one goes on, and this one has to end.</summary>
    internal async Task<bool> TryServeAsync(ProxyServer server, AdminServer? admin, ILogger logger)
    {
        IReadOnlyList<(string Address, bool HasFile)> left = InheritedSockets.CloseRest();
        if (left.Count > 0) logger.SocketsLeft(string.Join(", ", left.Select(one => one.Address)));
        if (_before is not null)
        {
            HandoverState applied = _before.State;
            if (!_before.Serving(ProductVersion.Text)) return false;
            server.ClaimSockets();
            // The process before leaves: nothing may end this one from here on.
            foreach ((string address, bool hasFile) in left)
                if (hasFile) Delete(address, logger);
            try
            {
                if (admin is not null) await _before.State.ApplyAsync(applied, server, admin);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                logger.StateNotTaken(e);
            }
        }
        _after = HandoverServer.TryStart(server, admin, logger);
        if (_after is not null) admin!.Upgrader = new Upgrader(server, admin, _after, logger);
        if (_before is not null) admin?.Accept();
        return true;
    }

    private static void Delete(string path, ILogger logger)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            logger.SocketFileStays(path, e.Message);
        }
    }

    /// <summary>Ends with the process that has taken over; never, where none does.</summary>
    internal Task<Successor> Taken => _after?.Taken ?? Never;

    /// <summary>Hands nothing over any more, as this process stops; false where another has taken over already.</summary>
    internal bool TryClose() => _after?.TryClose() ?? true;

    private static readonly Task<Successor> Never = new TaskCompletionSource<Successor>().Task;

    /// <summary>The other process serves: this one answers what it has, until nobody is left or the time is up.</summary>
    internal static async Task LeaveAsync(ProxyServer server, AdminServer admin, CancellationToken cut)
    {
        await admin.LeaveAsync();
        await server.LeaveAsync(server.Config.DrainTimeout, cut);
    }

    public void Dispose()
    {
        _before?.Dispose();
        _after?.Dispose();
    }
}
