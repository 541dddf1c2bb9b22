using System.Buffers;
using System.IO.Pipelines;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Policies;

/// <summary>Takes a body together, up to a bound: what is beyond, or finds no memory (<see cref="BodyMemory"/>), ends the writing, as a peer that has gone does. One thread.</summary>
internal sealed class CollectingWriter(BodyMemory memory) : TransportWriter
{
    private byte[] _bytes = [];
    private int _length, _max;

    /// <summary>What was written.</summary>
    internal ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, _length);

    /// <summary>Whether it was longer than may be.</summary>
    internal bool IsTooLong { get; private set; }

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => 0;

    internal void Begin(int bytesMax)
    {
        Clear();
        _max = bytesMax;
    }

    /// <summary>Gives the memory back.</summary>
    /// <param name="isSeen">Whether somebody may still look at what was written: then nobody else gets it.</param>
    internal void Clear(bool isSeen = false)
    {
        if (_bytes.Length > 0)
        {
            memory.Return(_bytes.Length);
            if (!isSeen) ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = [];
        }
        _length = 0;
        IsTooLong = false;
    }

    internal override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> body, ReadOnlyMemory<byte> tail)
    {
        if (!TryAdd(body.Span) || !TryAdd(tail.Span)) return new(new FlushResult(isCanceled: false, isCompleted: true));
        return default;
    }

    private bool TryAdd(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > _max - _length)
        {
            IsTooLong = true;
            return false;
        }
        if (_length + bytes.Length > _bytes.Length && !TryGrow(_length + bytes.Length)) return false;
        bytes.CopyTo(_bytes.AsSpan(_length));
        _length += bytes.Length;
        return true;
    }

    private bool TryGrow(int length)
    {
        byte[] grown = ArrayPool<byte>.Shared.Rent(Math.Max(length, (int)Math.Min(2L * _bytes.Length, Array.MaxLength)));
        if (!memory.TryTake(grown.Length - _bytes.Length))
        {
            ArrayPool<byte>.Shared.Return(grown);
            return false;
        }
        _bytes.AsSpan(0, _length).CopyTo(grown);
        if (_bytes.Length > 0) ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = grown;
        return true;
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => default;

    public override Memory<byte> GetMemory(int sizeHint = 0) => throw new NotSupportedException("a body is collected as it is moved");

    public override Span<byte> GetSpan(int sizeHint = 0) => throw new NotSupportedException("a body is collected as it is moved");

    public override void Advance(int bytes) => throw new NotSupportedException("a body is collected as it is moved");

    public override void CancelPendingFlush()
    {
    }

    public override void Complete(Exception? exception = null)
    {
    }
}
