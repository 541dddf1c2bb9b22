using System.IO.Pipelines;
using System.Net.Sockets;
using System.Threading.Tasks.Sources;
using LoadBalancer.Core.Buffers;

namespace LoadBalancer.Core.Transport.Sockets;

/// <summary>
/// The receiving side. Waits with a receive of no bytes, so that a connection holds no buffer while nothing comes, and then receives into
/// one slab, handed out in place. See <see cref="TransportConnection"/> for the contract.
/// </summary>
internal sealed class SocketsReader : TransportReader, IValueTaskSource<ReadResult>
{
    // A socket that never runs dry must not keep the loop from the others: this many receives, then the rest of the turn first.
    private const int ReceivesPerTurnMax = 16;

    private readonly SocketsConnection _connection;
    private readonly SocketsLoop _loop;
    private readonly Wait _wait;
    private ReceiveBuffer _buffer;
    private int _receives;
    private bool _ended, _cancelRequested, _pending;
    private bool _drained; // the last receive took all there was: waiting comes before trying
    private bool _news;    // a wait ended while nobody read: no use in waiting again before a receive
    private LoopCompletion<ReadResult> _completion;

    internal SocketsReader(SocketsConnection connection, SocketsLoop loop)
    {
        _connection = connection;
        _loop = loop;
        _buffer = new ReceiveBuffer(loop.Slabs);
        _wait = new Wait(this);
    }

    internal bool IsPending => _pending;

    /// <summary>Whether nothing is buffered and neither bytes nor an end have been noticed.</summary>
    internal bool IsQuiet => _buffer.IsEmpty && !_ended && !_news;

    // Hot path: per read. 0 allocations.
    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (TryTake(out ReadResult result)) return new(result);
        if (!_connection.IsConnected)
        {
            _ended = true;
            return new(Current());
        }
        if (!_wait.InFlight)
        {
            if (++_receives > ReceivesPerTurnMax) _loop.Defer(_connection);
            else if (ReceiveOrWait())
            {
                WatchLater();
                return new(Current());
            }
        }
        _pending = true;
        return new(this, _completion.Start());
    }

    public override bool TryRead(out ReadResult result)
    {
        if (TryTake(out result)) return true;
        if (_connection.IsConnected && Receive())
        {
            result = Current();
            return true;
        }
        return false;
    }

    private bool TryTake(out ReadResult result)
    {
        if (_cancelRequested)
        {
            _cancelRequested = false;
            result = new(_buffer.Sequence, isCanceled: true, isCompleted: _ended);
            return true;
        }
        if (_buffer.HasNews || _ended)
        {
            result = Current();
            return true;
        }
        result = default;
        return false;
    }

    private ReadResult Current() => new(_buffer.Sequence, isCanceled: false, isCompleted: _ended);

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        _buffer.AdvanceTo(consumed, examined);
        WatchLater();
    }

    // After every read, and not only when it is advanced: a caller may hold what it has read for as long as it works on it, and the
    // peer may go away meanwhile.
    private void WatchLater()
    {
        if (_connection.Observer is not null && !_wait.InFlight && !_news && !_ended && _connection.IsConnected) _loop.Defer(_connection);
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
        Slab slab = _buffer.Prepare(out int offset);
        int room = slab.Length - offset;
        int received = _connection.Socket!.Receive(slab.Array, offset, room, SocketFlags.None, out SocketError error);
        _news = false;
        if (error == SocketError.Success && received > 0)
        {
            _buffer.Received(received);
            _drained = received < room;
            return true;
        }
        _buffer.ReleaseIfEmpty();
        switch (error)
        {
            case SocketError.Success:
                _ended = true;
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
        _ended = true;
        _connection.SetReset();
    }

    /// <summary>Begins to watch for the observer, at the end of a turn in which nobody began to read.</summary>
    internal void Watch()
    {
        if (_wait.InFlight || _news || _ended) return;
        if (!_wait.Start()) OnWaitFinished();
    }

    private void OnWaitFinished()
    {
        if (!_connection.IsConnected) return; // aborted or closed: a pending read was or will be ended by that
        bool broken = _wait.SocketError != SocketError.Success;
        if (broken) OnError();
        else _drained = false;
        if (_pending)
        {
            _receives = 1;
            if (broken || ReceiveOrWait()) Complete(Current());
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
        if (_cancelRequested)
        {
            _cancelRequested = false;
            Complete(new(_buffer.Sequence, isCanceled: true, isCompleted: _ended));
        }
        else if (!_connection.IsConnected)
        {
            _ended = true;
            Complete(Current());
        }
        else if (!_wait.InFlight)
        {
            _receives = 1;
            if (ReceiveOrWait()) Complete(Current());
        }
    }

    private void Complete(in ReadResult result)
    {
        _pending = false;
        WatchLater(); // before: the continuation runs inside
        _completion.SetResult(result);
    }

    public override void CancelPendingRead()
    {
        _cancelRequested = true;
        if (_pending) _loop.Defer(_connection);
    }

    /// <summary>Releases the buffer; reading is over.</summary>
    public override void Complete(Exception? exception = null)
    {
        _ended = true;
        _buffer.Release();
    }

    internal void Release()
    {
        Complete();
        _wait.Dispose(); // the runtime puts it off while the wait is in flight
    }

    ReadResult IValueTaskSource<ReadResult>.GetResult(short token) => _completion.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<ReadResult>.GetStatus(short token) => _completion.GetStatus(token);

    void IValueTaskSource<ReadResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _completion.OnCompleted(continuation, state, token);

    /// <summary>A receive of no bytes: ends when there may be something to receive.</summary>
    private sealed class Wait(SocketsReader reader) : SocketOperation(reader._loop)
    {
        protected override bool Begin() => reader._connection.Socket!.ReceiveAsync(this);

        protected override void OnFinished() => reader.OnWaitFinished();
    }
}
