using System.IO.Pipelines;
using System.Threading.Tasks.Sources;
using LoadBalancer.Core.Buffers;

namespace LoadBalancer.Core.Transport.Epoll;

/// <summary>
/// The receiving side: bytes go from the socket into one slab and are handed out in place. The slab is leased when the socket has
/// something to say and given back when everything was consumed. See <see cref="TransportConnection"/> for the contract.
/// </summary>
internal sealed unsafe class EpollReader(EpollConnection connection, EpollLoop loop) : TransportReader, IValueTaskSource<ReadResult>
{
    // A socket that never runs dry must not keep the loop from the others: this many receives, then the rest of the batch first.
    private const int ReceivesPerTurnMax = 16;

    private ReceiveBuffer _buffer = new(loop.Slabs);
    private int _receives;
    private bool _ended, _cancelRequested, _pending;
    private LoopCompletion<ReadResult> _completion;

    internal bool IsPending => _pending;

    internal bool IsEmpty => _buffer.IsEmpty;

    // Hot path: per read. 0 allocations.
    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (TryTake(out ReadResult result)) return new(result);
        if (connection.Readable && connection.Fd >= 0)
        {
            if (++_receives > ReceivesPerTurnMax) loop.Defer(connection);
            else if (Receive()) return new(Current());
        }
        else if (connection.Fd < 0)
        {
            _ended = true;
            return new(Current());
        }
        _pending = true;
        return new(this, _completion.Start());
    }

    public override bool TryRead(out ReadResult result)
    {
        if (TryTake(out result)) return true;
        if (connection.Readable && connection.Fd >= 0 && Receive())
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

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => _buffer.AdvanceTo(consumed, examined);

    /// <summary>One receive. True when there is news for the reader: bytes, or an end.</summary>
    private bool Receive()
    {
        Slab slab = _buffer.Prepare(out int offset);
        int room = slab.Length - offset;
        nint received;
        int error = 0;
        do received = Libc.Receive(connection.Fd, slab.Pointer + offset, (nuint)room, 0);
        while (received < 0 && (error = Libc.LastError) == Libc.EINTR);

        if (received > 0)
        {
            _buffer.Received((int)received);
            // Short: drained; the next byte makes a new edge. But an end of stream seen with the edge still waits behind the bytes.
            if (received < room && !connection.PeerEnded) connection.Readable = false;
            return true;
        }
        if (received == 0)
        {
            _ended = true;
            connection.PeerEnded = true;
        }
        else if (error == Libc.EAGAIN)
        {
            connection.Readable = false;
            _buffer.ReleaseIfEmpty();
            return false;
        }
        else
        {
            _ended = true;
            connection.SetReset();
        }
        connection.Readable = false;
        _buffer.ReleaseIfEmpty();
        return true;
    }

    /// <summary>An edge while a read is pending.</summary>
    internal void OnReadable()
    {
        _receives = 1;
        if (Receive()) Complete(Current());
    }

    /// <summary>The loop's turn after a yield, cancel or abort.</summary>
    internal void OnDeferred()
    {
        if (_cancelRequested)
        {
            _cancelRequested = false;
            Complete(new(_buffer.Sequence, isCanceled: true, isCompleted: _ended));
        }
        else if (connection.Fd < 0)
        {
            _ended = true;
            Complete(Current());
        }
        else if (connection.Readable) OnReadable();
    }

    private void Complete(in ReadResult result)
    {
        _pending = false;
        _completion.SetResult(result);
    }

    public override void CancelPendingRead()
    {
        _cancelRequested = true;
        if (_pending) loop.Defer(connection);
    }

    /// <summary>Releases the buffer; reading is over.</summary>
    public override void Complete(Exception? exception = null)
    {
        _ended = true;
        _buffer.Release();
    }

    internal void Release() => Complete();

    ReadResult IValueTaskSource<ReadResult>.GetResult(short token) => _completion.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<ReadResult>.GetStatus(short token) => _completion.GetStatus(token);

    void IValueTaskSource<ReadResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _completion.OnCompleted(continuation, state, token);
}
