using System.Net;
using System.Threading.Tasks.Sources;

namespace LoadBalancer.Core.Transport.Epoll;

/// <summary>Something registered with a loop's epoll instance.</summary>
internal interface IEpollSource
{
    void OnEvents(uint events);
}

/// <summary>
/// One socket on an epoll loop. Registered once, edge triggered, for reading and writing. <see cref="Readable"/> remembers what the edges said:
/// it is true from an edge until a receive came back short. Sending needs no such memory: it is always tried first.
/// Owner: the loop's thread.
/// </summary>
internal sealed unsafe class EpollConnection : TransportConnection, IEpollSource, IValueTaskSource<ConnectResult>
{
    private readonly EpollLoop _loop;
    private readonly EpollReader _reader;
    private readonly EpollWriter _writer;
    private LoopCompletion<ConnectResult> _connect;
    private EndPoint? _target;
    private bool _connecting, _closed;

    internal int Fd = -1;
    internal int Slot = -1;
    internal bool Readable, PeerEnded;
    internal EpollRelay? Relay; // who has taken the connection over from reader and writer
    internal TransportListener? Listener;

    internal EpollConnection(EpollLoop loop) : base(loop)
    {
        _loop = loop;
        _reader = new EpollReader(this, loop);
        _writer = new EpollWriter(this, loop);
    }

    public override TransportReader Input => _reader;

    public override TransportWriter Output => _writer;

    /// <summary>An accepted descriptor. Its first request is probably there already, so the first read tries without an edge.</summary>
    internal void Accepted(int fd, PeerAddress remote, TransportListener listener)
    {
        Fd = fd;
        Remote = remote;
        Listener = listener;
        Readable = true;
    }

    internal void SetTarget(EndPoint target) => _target = target;

    private protected override PeerAddress AskLocalAddress()
    {
        byte* address = stackalloc byte[SocketAddress.SizeMax];
        uint length = SocketAddress.SizeMax;
        return Fd >= 0 && Libc.GetSocketName(Fd, address, &length) == 0
            ? SocketAddress.Read(new ReadOnlySpan<byte>(address, (int)length))
            : default;
    }

    internal override (int User, int Process) GetPeerIds()
    {
        int* credentials = stackalloc int[3]; // process, user, group: unix(7)
        uint length = 3 * sizeof(int);
        return Fd >= 0 && Remote.Family == System.Net.Sockets.AddressFamily.Unix
            && Libc.GetSocketOption(Fd, Libc.SOL_SOCKET, Libc.SO_PEERCRED, credentials, &length) == 0 ? (credentials[1], credentials[0]) : (-1, -1);
    }

    internal override bool IsReusable => Fd >= 0 && !_connecting && Fault == TransportFault.None && !Readable && !PeerEnded && _reader.IsEmpty;

    internal override ValueTask<ConnectResult> ConnectAsync()
    {
        byte* address = stackalloc byte[SocketAddress.SizeMax];
        int length = SocketAddress.Write(_target!, new Span<byte>(address, SocketAddress.SizeMax), out int family);
        if (Fault != TransportFault.None) return new(ConnectResult.Aborted);
        Fd = Libc.Socket(family, Libc.SOCK_STREAM | Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC, 0);
        if (Fd < 0) return new(ConnectResult.ResourceExhausted);
        Remote = SocketAddress.Read(new ReadOnlySpan<byte>(address, length));
        if (family != Libc.AF_UNIX) _ = Libc.SetOption(Fd, Libc.IPPROTO_TCP, Libc.TCP_NODELAY, 1);

        int error = Libc.Connect(Fd, address, (uint)length) == 0 ? 0 : Libc.LastError;
        if (error is not (0 or Libc.EINPROGRESS or Libc.EINTR))
        {
            PeerEnded = true;
            return new(ToResult(error));
        }
        if (!_loop.Register(this, Fd, EpollLoop.ConnectionEvents, out Slot)) return new(ConnectResult.ResourceExhausted);
        if (error == 0) return new(ConnectResult.Connected);
        _connecting = true;
        return new(this, _connect.Start());
    }

    private static ConnectResult ToResult(int error) => error switch
    {
        Libc.ECONNREFUSED or Libc.ENOENT => ConnectResult.Refused,
        Libc.ENETUNREACH or Libc.EHOSTUNREACH or Libc.ETIMEDOUT => ConnectResult.Unreachable,
        Libc.EMFILE or Libc.ENFILE or Libc.ENOMEM or Libc.ENOBUFS or Libc.EADDRNOTAVAIL => ConnectResult.ResourceExhausted,
        // A Unix listener whose queue is full answers EAGAIN.
        Libc.EAGAIN => ConnectResult.Refused,
        _ => ConnectResult.Failed,
    };

    // Hot path: per event.
    public void OnEvents(uint events)
    {
        if (_connecting)
        {
            OnConnectEvent(events);
            return;
        }
        if ((events & (Libc.EPOLLRDHUP | Libc.EPOLLHUP | Libc.EPOLLERR)) != 0) PeerEnded = true;
        if ((events & ~Libc.EPOLLOUT) != 0) Readable = true;
        if (Relay is { } relay)
        {
            relay.OnEvents(this, events);
            return;
        }
        if (_writer.IsPending && (events & (Libc.EPOLLOUT | Libc.EPOLLHUP | Libc.EPOLLERR)) != 0) _writer.Continue();
        if (!Readable || Fd < 0) return;
        if (_reader.IsPending)
        {
            _reader.OnReadable();
            return;
        }
        // Not on an edge for writing alone: Readable may be a guess (a connection just accepted).
        if ((events & ~Libc.EPOLLOUT) != 0) Observer?.OnConnectionEvent(readable: true, broken: (events & (Libc.EPOLLERR | Libc.EPOLLHUP)) != 0);
    }

    private void OnConnectEvent(uint events)
    {
        if ((events & (Libc.EPOLLOUT | Libc.EPOLLERR | Libc.EPOLLHUP)) == 0) return;
        int error = 0;
        uint length = sizeof(int);
        // Asked only where there is one.
        if ((events & (Libc.EPOLLERR | Libc.EPOLLHUP)) != 0) _ = Libc.GetSocketOption(Fd, Libc.SOL_SOCKET, Libc.SO_ERROR, &error, &length);
        _connecting = false;
        if (error == 0)
        {
            Readable = (events & Libc.EPOLLIN) != 0;
            PeerEnded = (events & (Libc.EPOLLRDHUP | Libc.EPOLLHUP)) != 0;
        }
        else
        {
            PeerEnded = true;
        }
        _connect.SetResult(error == 0 ? ConnectResult.Connected : ToResult(error));
    }

    internal override void OnDeferred()
    {
        if (_connecting && Fault != TransportFault.None)
        {
            _connecting = false;
            _connect.SetResult(ConnectResult.Aborted);
        }
        if (Relay is { } relay)
        {
            relay.OnDeferred(this);
            return;
        }
        if (_writer.IsPending) _writer.OnDeferred();
        if (_reader.IsPending) _reader.OnDeferred();
    }

    internal override TransportRelay CreateRelay(TransportConnection upstream) =>
        upstream is EpollConnection other ? new EpollRelay(_loop, this, other) : base.CreateRelay(upstream);

    internal void SetReset()
    {
        if (Fault == TransportFault.None) Fault = TransportFault.Reset;
    }

    internal override void Abort()
    {
        if (Fault == TransportFault.Aborted || _closed) return;
        Fault = TransportFault.Aborted;
        if (Fd >= 0)
        {
            var linger = new Libc.Linger { OnOff = 1, Seconds = 0 };
            _ = Libc.SetSocketOption(Fd, Libc.SOL_SOCKET, Libc.SO_LINGER, &linger, (uint)sizeof(Libc.Linger));
            ReleaseDescriptor();
        }
        // Completed from the loop, not from here: the caller may be in the middle of the other direction.
        if (_connecting || _reader.IsPending || _writer.IsPending || Relay is not null) _loop.Defer(this);
    }

    internal override void Close()
    {
        if (_closed) return;
        _closed = true;
        // close() with bytes unread drops what is corked; shutdown() sends it.
        if (_writer.IsCorked && Fd >= 0 && Fault == TransportFault.None) _ = Libc.Shutdown(Fd, Libc.SHUT_WR);
        ReleaseDescriptor();
        _reader.Complete();
        _writer.Release();
        Observer = null;
    }

    private void ReleaseDescriptor()
    {
        if (Fd < 0) return;
        if (Slot >= 0) _loop.Unregister(Slot);
        _ = Libc.Close(Fd);
        Fd = -1;
        if (Listener is { } listener) Interlocked.Decrement(ref listener.ConnectionCount);
        Listener = null;
    }

    ConnectResult IValueTaskSource<ConnectResult>.GetResult(short token) => _connect.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<ConnectResult>.GetStatus(short token) => _connect.GetStatus(token);

    void IValueTaskSource<ConnectResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _connect.OnCompleted(continuation, state, token);
}
