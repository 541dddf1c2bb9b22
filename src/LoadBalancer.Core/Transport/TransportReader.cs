using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;
using LoadBalancer.Core.Buffers;

namespace LoadBalancer.Core.Transport;

/// <summary>
/// The reading side of a <see cref="TransportConnection"/>: a <see cref="PipeReader"/> over one slab, and a second, leaner way to the same bytes
/// for the relay: <see cref="FillAsync"/>, <see cref="Bytes"/>, <see cref="Consume"/>, without sequences and results to be copied around.
/// Either may be used for any one read. A transport adds how to receive and how to wait.
/// </summary>
internal abstract class TransportReader(SlabPool slabs) : PipeReader, IValueTaskSource<ReadResult>
{
    // Requests that are all there must not keep the loop from other connections: this many reads without a wait, then the rest of the turn first.
    private const int ReadsPerTurnMax = 64;

    private protected ReceiveBuffer Buffer = new(slabs);
    private int _reads;
    private bool _cancelRequested, _isCanceled;
    private Action? _waiter; // who awaits FillAsync; null when the pending read is a ReadAsync
    private LoopCompletion<ReadResult> _completion;

    /// <summary>Whether a read waits for bytes.</summary>
    internal bool IsPending { get; private set; }

    /// <summary>Whether the stream ends behind <see cref="Bytes"/>, in order or not.</summary>
    internal bool IsEnded { get; private protected set; }

    /// <summary>Whether nothing is received and unconsumed.</summary>
    internal bool IsEmpty => Buffer.IsEmpty;

    /// <summary>What was received and not consumed. Valid until the next read or consumption.</summary>
    internal ReadOnlyMemory<byte> Bytes => Buffer.Memory;

    /// <summary>One attempt to get news (bytes or an end) without waiting; when there are none a wait has begun, which ends in <see cref="CompleteRead"/>.</summary>
    private protected abstract bool TryReceiveOrWait();

    /// <summary>One attempt to get news; nothing waits.</summary>
    private protected abstract bool TryReceive();

    /// <summary>After every read and consumption.</summary>
    private protected virtual void OnRead()
    {
    }

    /// <summary>Has the loop look at this reader again at the end of its turn.</summary>
    private protected abstract void Defer();

    /// <summary>
    /// Waits until there are bytes that the last <see cref="Consume"/> had not in view, or an end (<see cref="IsEnded"/>).
    /// The result is true when the wait was cancelled. Awaited at once, or after a look at <see cref="FillAwaitable.IsCompleted"/>.
    /// </summary>
    // Hot path: per read. 0 allocations.
    internal FillAwaitable FillAsync() => new(this, Fill());

    private bool Fill()
    {
        _isCanceled = _cancelRequested;
        if (_isCanceled)
        {
            _cancelRequested = false;
            return true;
        }
        if (HasNews)
        {
            if (++_reads <= ReadsPerTurnMax) return true;
            Defer();
        }
        else if (TryReceiveOrWait()) return true;
        IsPending = true;
        return false;
    }

    /// <summary>Whether a read ends without receiving. A read that is pending all the same has yielded.</summary>
    private protected bool HasNews => Buffer.HasNews || IsEnded;

    /// <summary>Takes bytes from the front.</summary>
    /// <param name="count">At most the length of <see cref="Bytes"/>.</param>
    /// <param name="needsMore">The rest is of no use until more has come: the next read waits for it.</param>
    internal void Consume(int count, bool needsMore = false)
    {
        Buffer.Consume(count, needsMore);
        OnRead();
    }

    public sealed override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) =>
        Fill() ? new(Result()) : new(this, _completion.Start());

    public sealed override bool TryRead(out ReadResult result)
    {
        if (_cancelRequested || HasNews || TryReceive())
        {
            _isCanceled = _cancelRequested;
            _cancelRequested = false;
            result = Result();
            return true;
        }
        result = default;
        return false;
    }

    private ReadResult Result() => new(Buffer.Sequence, _isCanceled, IsEnded);

    public sealed override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public sealed override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        Buffer.AdvanceTo(consumed, examined);
        OnRead();
    }

    /// <summary>Ends the pending read; the reading code runs inside this call.</summary>
    private protected void CompleteRead(bool isCanceled = false)
    {
        IsPending = false;
        _reads = 0;
        _isCanceled = isCanceled;
        OnRead();
        Action? waiter = _waiter;
        if (waiter is null)
        {
            _completion.SetResult(Result());
            return;
        }
        _waiter = null;
        waiter();
    }

    /// <summary>Ends a pending read that was to be cancelled. True when there was one.</summary>
    private protected bool CompleteCancelled()
    {
        if (!_cancelRequested) return false;
        _cancelRequested = false;
        CompleteRead(isCanceled: true);
        return true;
    }

    public sealed override void CancelPendingRead()
    {
        _cancelRequested = true;
        if (IsPending) Defer();
    }

    /// <summary>Releases the buffer; reading is over.</summary>
    public override void Complete(Exception? exception = null)
    {
        IsEnded = true;
        Buffer.Release();
    }

    ReadResult IValueTaskSource<ReadResult>.GetResult(short token) => _completion.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<ReadResult>.GetStatus(short token) => _completion.GetStatus(token);

    void IValueTaskSource<ReadResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _completion.OnCompleted(continuation, state, token);

    /// <summary>The wait of <see cref="FillAsync"/>; its continuation runs inline on the loop.</summary>
    internal readonly struct FillAwaitable(TransportReader reader, bool isCompleted) : ICriticalNotifyCompletion
    {
        public FillAwaitable GetAwaiter() => this;

        /// <summary>Whether nothing has to be waited for.</summary>
        public bool IsCompleted => isCompleted;

        /// <summary>True when the wait was cancelled.</summary>
        public bool GetResult() => reader._isCanceled;

        public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

        public void UnsafeOnCompleted(Action continuation) => reader._waiter = continuation;
    }
}
