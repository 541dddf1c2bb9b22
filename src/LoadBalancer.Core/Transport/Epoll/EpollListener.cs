using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace LoadBalancer.Core.Transport.Epoll;

/// <summary>
/// The listening descriptors of one address: for TCP one for each loop (SO_REUSEPORT, the kernel spreads connections), for a Unix
/// socket one shared by all.
/// </summary>
internal sealed unsafe class EpollListener : TransportListener
{
    private readonly int _loopCount;
    private readonly int[] _descriptors;
    private string? _unixPath; // null while and once it is not ours to delete
    private string? _unclaimedPath; // of the process before, as long as that serves

    internal EpollListener(ListenOptions options, int loopCount)
    {
        _loopCount = loopCount;
        ConnectionsMax = options.ConnectionsMax;
        if (InheritedSockets.Take(options) is { } inherited)
        {
            (_descriptors, IsShared) = Adopt(inherited.Descriptors, options, loopCount);
            if (inherited.HasFile && options.EndPoint is UnixDomainSocketEndPoint adopted) _unclaimedPath = UnixSocketFile.PathOf(adopted);
            LocalEndPoint = options.EndPoint;
            return;
        }
        IsShared = options.EndPoint is not IPEndPoint;
        _descriptors = new int[IsShared ? 1 : loopCount];
        Array.Fill(_descriptors, -1);
        try
        {
            if (options.EndPoint is UnixDomainSocketEndPoint unix)
            {
                UnixSocketFile.RemoveStale(unix);
                _descriptors[0] = Open(options, options.EndPoint, reusePort: false);
                _unixPath = UnixSocketFile.PathOf(unix);
                LocalEndPoint = options.EndPoint;
            }
            else
            {
                // With SO_REUSEPORT alone a second instance would bind the same port unnoticed and take half of the traffic.
                // A bind without it fails where anybody listens; only then the real ones are made.
                int probe = Open(options, options.EndPoint, reusePort: false, listen: false);
                _ = Libc.Close(probe);
                EndPoint endPoint = options.EndPoint;
                for (int i = 0; i < _descriptors.Length; i++)
                {
                    _descriptors[i] = Open(options, endPoint, reusePort: true);
                    if (i == 0) endPoint = BoundEndPoint((IPEndPoint)options.EndPoint, _descriptors[0]);
                }
                LocalEndPoint = endPoint;
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    internal override EndPoint LocalEndPoint { get; }

    /// <summary>Whether the loops share one descriptor.</summary>
    internal bool IsShared { get; }

    /// <summary>What a loop accepts from: where the process before had more loops, each of ours has several.</summary>
    internal IEnumerable<int> DescriptorsFor(int loopIndex) => IsShared ? _descriptors : _descriptors.Where((_, i) => i % _loopCount == loopIndex);

    /// <summary>All of them, to be handed to another process.</summary>
    internal IReadOnlyList<int> Descriptors => _descriptors;

    /// <summary>Whether the file of a Unix socket goes with the descriptors.</summary>
    internal bool HasFile => _unixPath is not null;

    /// <summary>Another process has them too, and goes on: the file of a Unix socket is its from here on.</summary>
    internal void HandOver() => _unixPath = null;

    internal override void Claim()
    {
        _unixPath ??= _unclaimedPath;
        _unclaimedPath = null;
    }

    // One that others share was not made for several loops; of those that were, loops beyond their number get one more each.
    private static (int[] Descriptors, bool IsShared) Adopt(List<int> inherited, ListenOptions options, int loopCount)
    {
        int reuse = 0;
        uint size = sizeof(int);
        bool isShared = options.EndPoint is not IPEndPoint || Libc.GetSocketOption(inherited[0], Libc.SOL_SOCKET, Libc.SO_REUSEPORT, &reuse, &size) != 0 || reuse == 0;
        var all = new List<int>(inherited);
        try
        {
            while (!isShared && all.Count < loopCount) all.Add(Open(options, options.EndPoint, reusePort: true));
        }
        catch (SocketException)
        {
            // Of another user, for example: then the loops without one get no new connections.
        }
        foreach (int fd in all)
        {
            _ = Libc.Listen(fd, options.Backlog);
            if (options.EndPoint is IPEndPoint)
            {
                _ = Libc.SetOption(fd, Libc.IPPROTO_TCP, Libc.TCP_NODELAY, 1);
                SetKeepAlive(fd, options.KeepAlive);
            }
        }
        return ([.. all], isShared);
    }

    private static IPEndPoint BoundEndPoint(IPEndPoint asked, int fd)
    {
        byte* address = stackalloc byte[SocketAddress.SizeMax];
        uint length = SocketAddress.SizeMax;
        return Libc.GetSocketName(fd, address, &length) == 0
            ? new IPEndPoint(asked.Address, SocketAddress.Read(new ReadOnlySpan<byte>(address, (int)length)).Port)
            : asked;
    }

    private static int Open(ListenOptions options, EndPoint endPoint, bool reusePort, bool listen = true)
    {
        byte* address = stackalloc byte[SocketAddress.SizeMax];
        int length = SocketAddress.Write(endPoint, new Span<byte>(address, SocketAddress.SizeMax), out int family);
        int fd = Libc.Socket(family, Libc.SOCK_STREAM | Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC, 0);
        if (fd < 0) throw Error();
        try
        {
            if (family != Libc.AF_UNIX)
            {
                _ = Libc.SetOption(fd, Libc.SOL_SOCKET, Libc.SO_REUSEADDR, 1);
                if (reusePort) _ = Libc.SetOption(fd, Libc.SOL_SOCKET, Libc.SO_REUSEPORT, 1);
                if (family == Libc.AF_INET6) _ = Libc.SetOption(fd, Libc.IPPROTO_IPV6, Libc.IPV6_V6ONLY, options.DualStack ? 0 : 1);
                // Accepted sockets inherit these.
                _ = Libc.SetOption(fd, Libc.IPPROTO_TCP, Libc.TCP_NODELAY, 1);
                SetKeepAlive(fd, options.KeepAlive);
            }
            if (Libc.Bind(fd, address, (uint)length) != 0) throw Error();
            UnixSocketFile.SetMode(endPoint, options.FileMode);
            if (listen && Libc.Listen(fd, options.Backlog) != 0) throw Error();
            return fd;
        }
        catch
        {
            _ = Libc.Close(fd);
            throw;
        }

        static SocketException Error() => new(ToSocketError(Marshal.GetLastPInvokeError()));
    }

    private static void SetKeepAlive(int fd, TimeSpan keepAlive)
    {
        _ = Libc.SetOption(fd, Libc.SOL_SOCKET, Libc.SO_KEEPALIVE, keepAlive > TimeSpan.Zero ? 1 : 0);
        if (keepAlive <= TimeSpan.Zero) return;
        _ = Libc.SetOption(fd, Libc.IPPROTO_TCP, Libc.TCP_KEEPIDLE, Math.Max(1, (int)keepAlive.TotalSeconds));
        _ = Libc.SetOption(fd, Libc.IPPROTO_TCP, Libc.TCP_KEEPINTVL, 10);
        _ = Libc.SetOption(fd, Libc.IPPROTO_TCP, Libc.TCP_KEEPCNT, 6);
    }

    internal override void Apply(ListenOptions options)
    {
        base.Apply(options);
        foreach (int fd in _descriptors)
        {
            _ = Libc.Listen(fd, options.Backlog); // listen(2) on a socket that listens sets its queue anew
            if (!IsShared) SetKeepAlive(fd, options.KeepAlive);
        }
    }

    private static int ToSocketError(int errno) => (int)(errno switch
    {
        Libc.EADDRINUSE => SocketError.AddressAlreadyInUse,
        Libc.EACCES => SocketError.AccessDenied,
        Libc.EADDRNOTAVAIL => SocketError.AddressNotAvailable,
        Libc.EMFILE or Libc.ENFILE => SocketError.TooManyOpenSockets,
        _ => SocketError.SocketError,
    });

    public override void Dispose()
    {
        // The file first: once the socket is closed a successor may put its own there.
        if (_unixPath is not null) File.Delete(_unixPath);
        _unixPath = null;
        foreach (int fd in _descriptors)
        {
            if (fd >= 0) _ = Libc.Close(fd);
        }
        Array.Fill(_descriptors, -1);
    }
}
