using System.Net.Sockets;
using LoadBalancer.Core.Buffers;

namespace LoadBalancer.Core.Transport.Sockets;

/// <summary>
/// The receiving side. Waits with a receive of no bytes, so that a connection holds no buffer while nothing comes, and then receives into
/// one slab, handed out in place. See <see cref="TransportConnection"/> for the contract.
/// </summary>
internal sealed class SocketsReader : TransportReader
{
    // A socket that never runs dry must not keep the loop from the others: this many receives, then the rest of the turn first.
    private const int ReceivesPerTurnMax = 16;

    private readonly SocketsConnection _connection;
    private readonly SocketsLoop _loop;
    private readonly Wait _wait;
    private int _receives;
    private bool _drained; // the last receive took all there was: waiting comes before trying
    private bool _news;    // a wait ended while nobody read: no use in waiting again before a receive

    internal SocketsReader(SocketsConnection connection, SocketsLoop loop) : base(loop.Slabs)
    {
        _connection = connection;
        _loop = loop;
        _wait = new Wait(this);
    }

    /// <summary>Whether nothing is buffered and neither bytes nor an end have been noticed.</summary>
    internal bool IsQuiet => IsEmpty && !IsEnded && !_news;

    // Hot path: per read. 0 allocations.
    private protected override bool TryReceiveOrWait()
    {
        if (!_connection.IsConnected)
        {
            IsEnded = true;
            return true;
        }
        if (_wait.InFlight) return false;
        if (++_receives > ReceivesPerTurnMax)
        {
            _loop.Defer(_connection);
            return false;
        }
        if (!ReceiveOrWait()) return false;
        OnRead();
        return true;
    }

    private protected override bool TryReceive() => _connection.IsConnected && Receive();

    private protected override void Defer() => _loop.Defer(_connection);

    // Watches again after every read, and not only when it is advanced: a caller may hold what it has read for as long as it works on it,
    // and the peer may go away meanwhile.
    private protected override void OnRead()
    {
        if (_connection.Observer is not null && !_wait.InFlight && !_news && !IsEnded && _connection.IsConnected) _loop.Defer(_connection);
    }

    /// <summary>True when there is news for the reader; false when a wait was begun.</summary>
    private bool ReceiveOrWait()
    {
        while (true)
        {
            if (!_drained && Receive()) return true;
            if (_wait.Start()) return false;
            if (_wait.SocketError != SocketError.Success)
            {
                OnError();
                return true;
            }
            _drained = false;
        }
    }

    /// <summary>One receive. True when there is news for the reader: bytes, or an end.</summary>
    private bool Receive()
    {
        Slab slab = Buffer.Prepare(out int offset);
        int room = slab.Length - offset;
        int received = _connection.Socket!.Receive(slab.Array, offset, room, SocketFlags.None, out SocketError error);
        _news = false;
        if (error == SocketError.Success && received > 0)
        {
            Buffer.Received(received);
            _drained = received < room;
            return true;
        }
        Buffer.ReleaseIfEmpty();
        switch (error)
        {
            case SocketError.Success:
                IsEnded = true;
                return true;
            case SocketError.WouldBlock:
                _drained = true;
                return false;
            default:
                OnError();
                return true;
        }
    }

    private void OnError()
    {
        IsEnded = true;
        _connection.SetReset();
    }

    /// <summary>Begins to watch for the observer, at the end of a turn in which nobody began to read.</summary>
    internal void Watch()
    {
        if (_wait.InFlight || _news || IsEnded) return;
        if (!_wait.Start()) OnWaitFinished();
    }

    private void OnWaitFinished()
    {
        if (!_connection.IsConnected) return; // aborted or closed: a pending read was or will be ended by that
        bool broken = _wait.SocketError != SocketError.Success;
        if (broken) OnError();
        else _drained = false;
        if (IsPending)
        {
            _receives = 1;
            if (HasNews || ReceiveOrWait()) CompleteRead();
            return;
        }
        // The runtime ends the wait on any event, without asking the socket what it was.
        if (!broken && !Peek(out broken))
        {
            Watch();
            return;
        }
        _news = true;
        _connection.Notify(broken);
    }

    /// <summary>Whether there are bytes, an end, or a fault, which is noted as the system tells it only once.</summary>
    private bool Peek(out bool broken)
    {
        Span<byte> one = stackalloc byte[1];
        _connection.Socket!.Receive(one, SocketFlags.Peek, out SocketError error);
        broken = error is not (SocketError.Success or SocketError.WouldBlock);
        if (broken) OnError();
        return error != SocketError.WouldBlock;
    }

    /// <summary>The loop's turn after a yield, cancel or abort.</summary>
    internal void OnDeferred()
    {
        if (CompleteCancelled()) return;
        if (!_connection.IsConnected)
        {
            IsEnded = true;
            CompleteRead();
        }
        else if (HasNews)
        {
            CompleteRead();
        }
        else if (!_wait.InFlight)
        {
            _receives = 1;
            if (ReceiveOrWait()) CompleteRead();
        }
    }

    internal void Release()
    {
        Complete();
        _wait.Dispose(); // the runtime puts it off while the wait is in flight
    }

    /// <summary>A receive of no bytes: ends when there may be something to receive.</summary>
    private sealed class Wait(SocketsReader reader) : SocketOperation(reader._loop)
    {
        protected override bool Begin() => reader._connection.Socket!.ReceiveAsync(this);

        protected override void OnFinished() => reader.OnWaitFinished();
    }
}
