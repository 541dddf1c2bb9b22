using System.Net;
using System.Net.Sockets;
using System.Threading.Tasks.Sources;

namespace LoadBalancer.Core.Transport.Sockets;

/// <summary>
/// One non-blocking socket. Sending and receiving are plain calls on the loop's thread; asynchronous operations only wait, and never
/// see a caller's memory, so that after an abort or a cancelled flush nothing of it can still be on its way out.
/// Owner: the loop's thread.
/// </summary>
internal sealed class SocketsConnection : TransportConnection, IValueTaskSource<ConnectResult>
{
    private static readonly LingerOption ResetOnClose = new(true, 0);

    private readonly SocketsLoop _loop;
    private readonly SocketsReader _reader;
    private readonly SocketsWriter _writer;
    private readonly EndPoint? _target;
    private TransportListener? _listener;
    private LoopCompletion<ConnectResult> _completion;
    private Connect? _connect;
    private IConnectionObserver? _observer;
    private bool _connecting, _connected, _closed, _sendEnded;

    // The loop's lists.
    internal SocketsConnection? Next, Previous;

    internal SocketsConnection(SocketsLoop loop, EndPoint target) : base(loop)
    {
        _loop = loop;
        _reader = new SocketsReader(this, loop);
        _writer = new SocketsWriter(this, loop);
        _target = target;
        Remote = PeerAddress.FromEndPoint(target);
    }

    internal SocketsConnection(SocketsLoop loop, Socket socket, PeerAddress remote, TransportListener listener) : base(loop)
    {
        _loop = loop;
        _reader = new SocketsReader(this, loop);
        _writer = new SocketsWriter(this, loop);
        _listener = listener;
        Remote = remote;
        Socket = socket;
        _connected = true;
        loop.Add(this);
    }

    /// <summary>Null before the connect and after an abort or close.</summary>
    internal Socket? Socket { get; private set; }

    internal bool IsConnected => _connected && Socket is not null;

    public override TransportReader Input => _reader;

    public override TransportWriter Output => _writer;

    // A connection that nobody reads is watched from the end of the turn on; most are read again before that.
    internal override IConnectionObserver? Observer
    {
        get => _observer;
        set
        {
            _observer = value;
            if (value is not null && IsConnected) _loop.Defer(this);
        }
    }

    private protected override PeerAddress AskLocalAddress()
    {
        if (Socket is not { } socket) return default;
        try
        {
            return PeerAddress.FromEndPoint(socket.LocalEndPoint);
        }
        catch (SocketException)
        {
            return default;
        }
    }

    internal override (int User, int Process) GetPeerIds()
    {
        const int SOL_SOCKET = 1, SO_PEERCRED = 17;
        if (!OperatingSystem.IsLinux() || Remote.Family != AddressFamily.Unix || Socket is not { } socket) return (-1, -1);
        Span<int> credentials = stackalloc int[3]; // process, user, group: unix(7)
        try
        {
            return socket.GetRawSocketOption(SOL_SOCKET, SO_PEERCRED, System.Runtime.InteropServices.MemoryMarshal.AsBytes(credentials)) == 3 * sizeof(int) ? (credentials[1], credentials[0]) : (-1, -1);
        }
        catch (SocketException)
        {
            return (-1, -1);
        }
    }

    // Asks the system: an event may be on its way through the pool.
    internal override bool IsReusable =>
        IsConnected && Fault == TransportFault.None && !_sendEnded && _reader.IsQuiet && !Socket!.Poll(0, SelectMode.SelectRead);

    internal override ValueTask<ConnectResult> ConnectAsync()
    {
        if (Fault != TransportFault.None) return new(ConnectResult.Aborted);
        EndPoint target = _target!;
        bool unix = target.AddressFamily == AddressFamily.Unix;
        try
        {
            var socket = new Socket(target.AddressFamily, SocketType.Stream, unix ? ProtocolType.Unspecified : ProtocolType.Tcp);
            Socket = socket;
            _loop.Add(this);
            socket.Blocking = false;
            if (!unix) socket.NoDelay = true;
            _connect = new Connect(this) { RemoteEndPoint = target };
            if (_connect.Start())
            {
                _connecting = true;
                return new(this, _completion.Start());
            }
        }
        catch (SocketException e)
        {
            return new(ToResult(e.SocketErrorCode, unix));
        }
        return new(OnConnectResult());
    }

    private ConnectResult OnConnectResult()
    {
        SocketError error = _connect!.SocketError;
        _connect.Dispose();
        _connect = null;
        if (error != SocketError.Success) return ToResult(error, _target!.AddressFamily == AddressFamily.Unix);
        _connected = true;
        if (_observer is not null) _loop.Defer(this);
        return ConnectResult.Connected;
    }

    private static ConnectResult ToResult(SocketError error, bool unix) => error switch
    {
        SocketError.ConnectionRefused => ConnectResult.Refused,
        // No such file; and a Unix listener whose queue is full answers EAGAIN.
        SocketError.AddressNotAvailable or SocketError.WouldBlock when unix => ConnectResult.Refused,
        SocketError.NetworkUnreachable or SocketError.HostUnreachable or SocketError.HostDown or SocketError.NetworkDown or SocketError.TimedOut
            => ConnectResult.Unreachable,
        SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable or SocketError.AddressNotAvailable or SocketError.AddressAlreadyInUse
            => ConnectResult.ResourceExhausted,
        _ => ConnectResult.Failed,
    };

    private void OnConnectFinished()
    {
        if (!_connecting) // aborted, and reported so
        {
            _connect?.Dispose();
            return;
        }
        _connecting = false;
        _completion.SetResult(Fault == TransportFault.None ? OnConnectResult() : ConnectResult.Aborted);
    }

    internal override void OnDeferred()
    {
        if (_connecting && Socket is null)
        {
            _connecting = false;
            _completion.SetResult(ConnectResult.Aborted);
        }
        if (_writer.IsPending) _writer.OnDeferred();
        if (_reader.IsPending) _reader.OnDeferred();
        else if (_observer is not null && IsConnected) _reader.Watch();
    }

    internal void Notify(bool broken) => _observer?.OnConnectionEvent(readable: true, broken);

    internal void SetReset()
    {
        if (Fault == TransportFault.None) Fault = TransportFault.Reset;
    }

    /// <summary>Sends our FIN. The system's own answer to a broken connection is of no interest: the reader or writer meets it.</summary>
    internal void EndSending()
    {
        if (_sendEnded || !IsConnected) return;
        _sendEnded = true;
        if (Fault != TransportFault.None) return;
        try
        {
            Socket!.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException) // reset by the peer, and not seen yet
        {
        }
    }

    internal override void Abort()
    {
        if (Fault == TransportFault.Aborted || _closed) return;
        Fault = TransportFault.Aborted;
        if (Socket is { } socket)
        {
            try
            {
                socket.LingerState = ResetOnClose;
            }
            catch (SocketException) // some systems refuse options on a socket whose peer is gone
            {
            }
            ReleaseSocket(socket);
        }
        // Completed from the loop, not from here: the caller may be in the middle of the other direction.
        if (_connecting || _reader.IsPending || _writer.IsPending) _loop.Defer(this);
    }

    internal override void Close()
    {
        if (_closed) return;
        _closed = true;
        _observer = null;
        if (Socket is { } socket)
        {
            // Also keeps the runtime from resetting the connection because of a receive that still waits.
            EndSending();
            ReleaseSocket(socket);
        }
        _reader.Release();
        _writer.Release();
    }

    private void ReleaseSocket(Socket socket)
    {
        Socket = null;
        _loop.Remove(this);
        socket.Dispose();
        if (_listener is not null) Interlocked.Decrement(ref _listener.ConnectionCount);
        _listener = null;
    }

    ConnectResult IValueTaskSource<ConnectResult>.GetResult(short token) => _completion.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<ConnectResult>.GetStatus(short token) => _completion.GetStatus(token);

    void IValueTaskSource<ConnectResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _completion.OnCompleted(continuation, state, token);

    private sealed class Connect(SocketsConnection connection) : SocketOperation(connection._loop)
    {
        protected override bool Begin() => connection.Socket!.ConnectAsync(this);

        protected override void OnFinished() => connection.OnConnectFinished();
    }
}
