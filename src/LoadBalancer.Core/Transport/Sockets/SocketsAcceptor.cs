using System.Net.Sockets;
using LoadBalancer.Core.Timers;

namespace LoadBalancer.Core.Transport.Sockets;

/// <summary>Accepts from a listener on one loop. Owner: the loop's thread, but for <see cref="Deliver"/>.</summary>
internal sealed class SocketsAcceptor : LoopTimer
{
    private const int BatchMax = 64;
    private const int BackOffMilliseconds = 100;

    private readonly SocketsLoop _loop;
    private readonly SocketsListener _listener;
    private readonly Accept _accept;
    private readonly Resume _resume;
    private IConnectionHandler? _handler;
    private bool _active, _resumePosted;

    internal SocketsAcceptor(SocketsLoop loop, SocketsListener listener)
    {
        _loop = loop;
        _listener = listener;
        _accept = new Accept(this, loop);
        _resume = new Resume(this);
    }

    internal TransportListener Listener => _listener;

    /// <summary>Whether nothing of it is left with the runtime, so that it can be forgotten.</summary>
    internal bool IsFinished => !_active && !_accept.InFlight;

    internal void Start(IConnectionHandler handler)
    {
        _handler = handler;
        if (_active) return;
        _active = true;
        _listener.Join(this);
        if (!_accept.InFlight) AcceptBatch();
    }

    internal void Stop()
    {
        if (!_active) return;
        // What stands in the queue connected while we accepted: it is served, not left to be reset when the socket closes.
        if (_listener.Leave(this)) Drain();
        _active = false;
        _loop.Timers.Remove(this);
    }

    /// <summary>The loop ends.</summary>
    internal void Close()
    {
        if (_active) _listener.Leave(this);
        _active = false;
        _loop.Timers.Remove(this);
    }

    /// <summary>Hands over a socket accepted elsewhere. Any thread.</summary>
    internal void Deliver(Socket socket) => _loop.Post(new Delivery(this, socket));

    private void AcceptBatch()
    {
        for (int i = 0; i < BatchMax; i++)
        {
            try
            {
                if (_accept.Start()) return;
            }
            catch (ObjectDisposedException) // the listener was disposed on another thread
            {
                return;
            }
            if (!OnResult()) return;
        }
        if (_resumePosted) return;
        _resumePosted = true;
        _loop.Post(_resume);
    }

    /// <summary>Deals with one outcome. True when the next accept may follow.</summary>
    private bool OnResult()
    {
        Socket? socket = _accept.AcceptSocket;
        _accept.AcceptSocket = null;
        switch (_accept.SocketError)
        {
            case SocketError.Success when socket is not null:
                if (_active) Take(socket);
                else _listener.PassOn(socket);
                return _active;
            case SocketError.OperationAborted or SocketError.NotSocket or SocketError.InvalidArgument or SocketError.Shutdown: // closed
                return false;
            case SocketError.ConnectionAborted or SocketError.ConnectionReset or SocketError.Interrupted or SocketError.WouldBlock
                or SocketError.NetworkDown or SocketError.NetworkUnreachable or SocketError.HostDown or SocketError.HostUnreachable:
                return _active; // errors of that one connection: accept(2)
            default:
                if (!_active) return false;
                // Out of descriptors or memory: trying again at once would spin. Leaves the queue to the kernel for a moment.
                Interlocked.Increment(ref _listener.AcceptErrorCount);
                _loop.Timers.Set(this, _loop.NowMilliseconds + BackOffMilliseconds);
                return false;
        }
    }

    private void Drain()
    {
        try
        {
            while (_listener.Socket.Poll(0, SelectMode.SelectRead)) Take(_listener.Socket.Accept());
        }
        catch (SocketException) // another loop's waiting accept was faster
        {
        }
        catch (ObjectDisposedException)
        {
        }
    }

    private void Take(Socket socket)
    {
        int open = Interlocked.Increment(ref _listener.ConnectionCount);
        if (_listener.ConnectionsMax > 0 && open > _listener.ConnectionsMax)
        {
            Interlocked.Decrement(ref _listener.ConnectionCount);
            Interlocked.Increment(ref _listener.RefusedCount);
            socket.Dispose();
            return;
        }
        PeerAddress remote;
        try
        {
            socket.Blocking = false;
            if (socket.AddressFamily == AddressFamily.Unix)
            {
                remote = PeerAddress.Unix;
            }
            else
            {
                socket.NoDelay = true;
                if (_listener.KeepAlive > TimeSpan.Zero) SetKeepAlive(socket, _listener.KeepAlive);
                remote = PeerAddress.FromEndPoint(socket.RemoteEndPoint);
            }
        }
        catch (SocketException) // some systems refuse options on a socket whose peer is gone already
        {
            Interlocked.Decrement(ref _listener.ConnectionCount);
            socket.Dispose();
            return;
        }
        _handler!.OnAccepted(new SocketsConnection(_loop, socket, remote, _listener));
    }

    private static void SetKeepAlive(Socket socket, TimeSpan idle)
    {
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, Math.Max(1, (int)idle.TotalSeconds));
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 10);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 6);
    }

    protected internal override void OnTimeout()
    {
        if (_active && !_accept.InFlight) AcceptBatch();
    }

    private sealed class Accept(SocketsAcceptor acceptor, TransportLoop loop) : SocketOperation(loop)
    {
        protected override bool Begin() => acceptor._listener.Socket.AcceptAsync(this);

        protected override void OnFinished()
        {
            if (acceptor.OnResult()) acceptor.AcceptBatch();
        }
    }

    private sealed class Resume(SocketsAcceptor acceptor) : LoopWork
    {
        protected internal override void Execute()
        {
            acceptor._resumePosted = false;
            acceptor.OnTimeout();
        }
    }

    private sealed class Delivery(SocketsAcceptor acceptor, Socket socket) : LoopWork
    {
        protected internal override void Execute()
        {
            if (acceptor._active) acceptor.Take(socket);
            else acceptor._listener.PassOn(socket);
        }
    }
}
