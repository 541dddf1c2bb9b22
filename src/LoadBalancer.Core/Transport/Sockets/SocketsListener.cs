using System.Net;
using System.Net.Sockets;

namespace LoadBalancer.Core.Transport.Sockets;

/// <summary>
/// One listening socket for all loops: each keeps an accept waiting on it, and the system serves the waiting accepts in turn.
/// The list of acceptors is shared between loops, under its lock.
/// </summary>
internal sealed class SocketsListener : TransportListener
{
    private readonly Lock _lock = new();
    private readonly List<SocketsAcceptor> _accepting = [];
    private string? _unixPath, _unclaimedPath; // null while it is not ours to delete
    private int _turn;
    private bool _disposed;
    private List<Socket>? _parked;

    internal SocketsListener(ListenOptions options)
    {
        ConnectionsMax = options.ConnectionsMax;
        KeepAlive = options.KeepAlive;
        EndPoint endPoint = options.EndPoint;
        var unix = endPoint as UnixDomainSocketEndPoint;
        if (InheritedSockets.Take(options) is { } inherited)
        {
            Socket = Adopt(inherited, options);
            if (inherited.HasFile && unix is not null) _unclaimedPath = UnixSocketFile.PathOf(unix);
            LocalEndPoint = endPoint;
            return;
        }
        if (unix is not null) UnixSocketFile.RemoveStale(unix);
        Socket = new Socket(endPoint.AddressFamily, SocketType.Stream, unix is null ? ProtocolType.Tcp : ProtocolType.Unspecified);
        try
        {
            if (endPoint.AddressFamily == AddressFamily.InterNetworkV6) Socket.DualMode = options.DualStack;
            // Elsewhere a port in use cannot be bound again anyway; Windows would let a second instance take our traffic.
            if (OperatingSystem.IsWindows() && unix is null) Socket.ExclusiveAddressUse = true;
            Socket.Bind(endPoint);
            if (unix is not null) _unixPath = UnixSocketFile.PathOf(unix);
            UnixSocketFile.SetMode(endPoint, options.FileMode);
            Socket.Listen(options.Backlog);
            Socket.Blocking = false;
            LocalEndPoint = endPoint is IPEndPoint ip ? new IPEndPoint(ip.Address, ((IPEndPoint)Socket.LocalEndPoint!).Port) : endPoint;
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    internal override EndPoint LocalEndPoint { get; } = null!;

    internal Socket Socket { get; }

    internal TimeSpan KeepAlive { get; private set; }

    // One for all loops is what this transport has; clients in the queues of others would be reset when these were closed.
    private static Socket Adopt(InheritedSockets.Inherited inherited, ListenOptions options)
    {
        var socket = new Socket(new SafeSocketHandle(inherited.Descriptors[0], ownsHandle: true));
        try
        {
            if (inherited.Descriptors.Count > 1)
                throw new IOException($"the process before has {inherited.Descriptors.Count} sockets for it, one for each loop, and the sockets transport can take over one; restart, or keep \"transport\" as it was");
            socket.Listen(options.Backlog);
            socket.Blocking = false;
            return socket;
        }
        catch
        {
            socket.Dispose();
            foreach (int fd in inherited.Descriptors.Skip(1)) new SafeSocketHandle(fd, ownsHandle: true).Dispose();
            throw;
        }
    }

    internal override void Claim()
    {
        _unixPath ??= _unclaimedPath;
        _unclaimedPath = null;
    }

    internal override void Apply(ListenOptions options)
    {
        base.Apply(options);
        KeepAlive = options.KeepAlive;
        Socket.Listen(options.Backlog);
    }

    internal void Join(SocketsAcceptor acceptor)
    {
        List<Socket>? parked;
        lock (_lock)
        {
            _accepting.Add(acceptor);
            parked = _parked;
            _parked = null;
        }
        if (parked is null) return;
        foreach (Socket socket in parked) acceptor.Deliver(socket);
    }

    /// <summary>True when nobody accepts any more.</summary>
    internal bool Leave(SocketsAcceptor acceptor)
    {
        lock (_lock) return _accepting.Remove(acceptor) && _accepting.Count == 0;
    }

    /// <summary>
    /// Finds a place for a socket that a waiting accept took after its loop had stopped accepting (such a wait cannot be called back):
    /// another loop, or else here until one accepts again, as if it still stood in the kernel's queue. Any thread.
    /// </summary>
    internal void PassOn(Socket socket)
    {
        SocketsAcceptor acceptor;
        lock (_lock)
        {
            if (_disposed)
            {
                socket.Dispose();
                return;
            }
            if (_accepting.Count == 0)
            {
                (_parked ??= []).Add(socket);
                return;
            }
            acceptor = _accepting[(int)((uint)_turn++ % (uint)_accepting.Count)];
        }
        acceptor.Deliver(socket);
    }

    public override void Dispose()
    {
        List<Socket>? parked;
        lock (_lock)
        {
            if (_disposed) return;
            _disposed = true;
            parked = _parked;
            _parked = null;
        }
        if (_unixPath is not null) File.Delete(_unixPath); // while it is ours for certain
        Socket.Dispose();
        if (parked is not null)
        {
            foreach (Socket socket in parked) socket.Dispose();
        }
    }
}
