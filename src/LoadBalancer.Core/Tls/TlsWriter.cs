using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using LoadBalancer.Core.Buffers;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Tls;

/// <summary>
/// Collects plain bytes in one slab and encrypts them at a flush, into the buffer of the connection below, which sends all records in one
/// system call where it can. See <see cref="TransportConnection"/> for the contract.
/// </summary>
internal sealed class TlsWriter : TransportWriter
{
    private const int RecordMax = 16 * 1024; // RFC 8446 §5.1
    private const int BatchMax = 128 * 1024; // encrypted bytes that are collected before they are sent

    private readonly TlsConnection _connection;
    private readonly TransportWriter _below;
    private readonly SlabPool _slabs;
    private Slab? _slab;
    private int _collected;
    private bool _completed, _endFollows, _endIsOwed;

    /// <summary>Whether records are under way below: its buffer must not be touched.</summary>
    internal bool IsSending { get; private set; }

    internal TlsWriter(TlsConnection connection, TransportConnection inner)
    {
        _connection = connection;
        _below = inner.Output;
        _slabs = inner.Loop.Slabs;
    }

    internal override long LastSentAt { get => _below.LastSentAt; private protected set { } }

    internal override long SentBytes { get => _below.SentBytes; private protected set { } }

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _collected;

    public override Memory<byte> GetMemory(int sizeHint = 0) => Room(sizeHint).Array.AsMemory(_collected);

    public override Span<byte> GetSpan(int sizeHint = 0) => Room(sizeHint).Array.AsSpan(_collected);

    private Slab Room(int sizeHint)
    {
        int sizeMin = _collected + Math.Max(sizeHint, 1);
        if (_slab is { } slab && slab.Length >= sizeMin) return slab;
        if (sizeMin > SlabPool.LargeSize) throw new ArgumentOutOfRangeException(nameof(sizeHint), "more was collected than a slab holds; flush first");
        Slab larger = _slabs.Lease(sizeMin);
        if (_slab is { } smaller)
        {
            smaller.Array.AsSpan(0, _collected).CopyTo(larger.Array);
            _slabs.Return(smaller);
        }
        return _slab = larger;
    }

    public override void Advance(int bytes)
    {
        if (bytes == 0) return;
        if (_slab is null || (uint)bytes > (uint)(_slab.Length - _collected)) throw new ArgumentOutOfRangeException(nameof(bytes));
        _collected += bytes;
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => WriteAsync(default, default(ReadOnlyMemory<byte>));

    internal override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> body, ReadOnlyMemory<byte> tail)
    {
        if (_connection.Fault != TransportFault.None || _completed) return new(Gone());
        // Head and body in one record where they fit: each record costs a tag, a header and a call.
        if (_collected + body.Length + tail.Length <= RecordMax)
        {
            Add(body);
            Add(tail);
            body = tail = default;
        }
        // The records of a long body are collected in one large buffer from the start.
        if (!body.IsEmpty) _ = _below.GetSpan(Math.Min(_collected + body.Length + tail.Length, BatchMax) + RecordMax);
        bool isEncrypted = _connection.Encrypt(_slab is null ? default : _slab.Array.AsMemory(0, _collected));
        ReturnSlab();
        if (!isEncrypted) return new(Gone());
        return body.IsEmpty && tail.IsEmpty ? Send() : WriteLongAsync(body, tail);
    }

    private void Add(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.IsEmpty) return;
        bytes.Span.CopyTo(GetSpan(bytes.Length));
        _collected += bytes.Length;
    }

    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    private async ValueTask<FlushResult> WriteLongAsync(ReadOnlyMemory<byte> body, ReadOnlyMemory<byte> tail)
    {
        while (!body.IsEmpty)
        {
            int count = Math.Min(body.Length, RecordMax);
            if (_below.UnflushedBytes > BatchMax)
            {
                FlushResult sent = await FlushBelowAsync().ConfigureAwait(false);
                if (sent.IsCanceled) return sent;
                if (sent.IsCompleted) return Gone();
            }
            if (!_connection.Encrypt(body[..count])) return Gone();
            body = body[count..];
        }
        return _connection.Encrypt(tail) ? await Send().ConfigureAwait(false) : Gone();
    }

    private ValueTask<FlushResult> Send()
    {
        if (_endFollows)
        {
            _connection.EndRecords();
            _below.EndFollows();
        }
        return FlushBelowAsync();
    }

    /// <summary>Sends the records that are collected below. Nobody waits for it: what a peer does not take it does not get.</summary>
    internal void FlushRecords()
    {
        ValueTask<FlushResult> sending = FlushBelowAsync();
        if (sending.IsCompletedSuccessfully) sending.GetAwaiter().GetResult();
        else sending.AsTask(); // takes the result
    }

    private ValueTask<FlushResult> FlushBelowAsync()
    {
        ValueTask<FlushResult> sending = _below.FlushAsync(CancellationToken.None);
        if (!sending.IsCompletedSuccessfully) return FinishAsync(sending);
        FlushResult sent = sending.GetAwaiter().GetResult();
        if (sent.IsCompleted) _connection.NoteFault(isBroken: false);
        return new(sent);
    }

    [AsyncMethodBuilder(typeof(LoopMethodBuilder<>))]
    private async ValueTask<FlushResult> FinishAsync(ValueTask<FlushResult> sending)
    {
        IsSending = true;
        FlushResult sent = await sending.ConfigureAwait(false);
        IsSending = false;
        if (sent.IsCompleted) _connection.NoteFault(isBroken: false);
        else if (_endIsOwed && !sent.IsCanceled)
        {
            _endIsOwed = false;
            await EndAsync().ConfigureAwait(false);
        }
        return sent;
    }

    private FlushResult Gone()
    {
        ReturnSlab();
        _connection.NoteFault(isBroken: false);
        return new(isCanceled: false, isCompleted: true);
    }

    internal override void EndFollows() => _endFollows = true;

    public override void CancelPendingFlush() => _below.CancelPendingFlush();

    /// <summary>Ends our direction: close_notify (RFC 8446 §6.1), then the FIN, behind what is under way.</summary>
    public override void Complete(Exception? exception = null)
    {
        ValueTask ending = CompleteAsync(exception);
        if (ending.IsCompletedSuccessfully) ending.GetAwaiter().GetResult();
        else ending.AsTask(); // takes the result
    }

    /// <summary>The same; over when the kernel has taken it: closing the connection before that would leave out the close_notify.</summary>
    public override ValueTask CompleteAsync(Exception? exception = null)
    {
        if (_completed) return default;
        _completed = true;
        if (_connection.Fault != TransportFault.None) return default;
        if (!_endFollows)
        {
            if (!IsSending) return EndAsync();
            _endIsOwed = true;
            return default;
        }
        _below.Complete();
        return default;
    }

    private ValueTask EndAsync()
    {
        _connection.EndRecords();
        ValueTask<FlushResult> sending = FlushBelowAsync();
        if (!sending.IsCompletedSuccessfully) return FinishEndAsync(sending);
        sending.GetAwaiter().GetResult();
        _below.Complete();
        return default;
    }

    [AsyncMethodBuilder(typeof(LoopMethodBuilder))]
    private async ValueTask FinishEndAsync(ValueTask<FlushResult> sending)
    {
        FlushResult sent = await sending.ConfigureAwait(false);
        if (!sent.IsCompleted && !sent.IsCanceled) _below.Complete();
    }

    internal void Release()
    {
        _completed = true;
        _endIsOwed = false;
        ReturnSlab();
    }

    private void ReturnSlab()
    {
        if (_slab is null) return;
        _slabs.Return(_slab);
        _slab = null;
        _collected = 0;
    }
}
