using System.Buffers;

namespace LoadBalancer.Core.Buffers;

/// <summary>
/// The bytes a reader has received and not consumed: a window of one slab, leased when there is something to receive and given back when
/// everything is consumed. Both transports' readers hold one; loop's thread only.
/// </summary>
internal struct ReceiveBuffer(SlabPool slabs)
{
    private Slab? _slab;
    private int _start, _end;
    private int _sizeHint;
    private bool _waitForMore;

    /// <summary>Whether somebody may still write into the free room: the slab is then kept, though nothing is left in it. See <see cref="Prepare"/>.</summary>
    internal bool IsLent;

    /// <summary>Whether nothing is unconsumed.</summary>
    internal readonly bool IsEmpty => _start == _end;

    /// <summary>Whether there are bytes that the caller has not examined in vain.</summary>
    internal readonly bool HasNews => _end > _start && !_waitForMore;

    internal readonly ReadOnlySequence<byte> Sequence => _slab is null ? ReadOnlySequence<byte>.Empty : new(_slab.Array, _start, _end - _start);

    internal readonly ReadOnlyMemory<byte> Memory => _slab is null ? default : _slab.Array.AsMemory(_start, _end - _start);

    internal void Consume(int count, bool needsMore)
    {
        if (_slab is null) return; // an empty buffer
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)count, (uint)(_end - _start), nameof(count));
        _start += count;
        _waitForMore = needsMore;
        ReleaseIfEmpty();
    }

    internal void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (_slab is null) return; // an empty buffer
        int consumedAt = consumed.GetInteger() & int.MaxValue, examinedAt = examined.GetInteger() & int.MaxValue;
        ArgumentOutOfRangeException.ThrowIfLessThan(consumedAt, _start, nameof(consumed));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(consumedAt, _end, nameof(consumed));
        _start = consumedAt;
        _waitForMore = examinedAt >= _end;
        ReleaseIfEmpty();
    }

    /// <summary>The slab to receive into, its free room from <paramref name="offset"/> to its end, which is never empty.</summary>
    internal Slab Prepare(out int offset)
    {
        Slab slab = _slab ?? Lease();
        if (_end == slab.Length) slab = MakeRoom(slab);
        offset = _end;
        return slab;
    }

    /// <summary>Takes note of received bytes. A receive that filled the room announces a long body: fewer, larger receives.</summary>
    internal void Received(int count)
    {
        _sizeHint = count == _slab!.Length - _end ? SlabPool.LargeSize : 0;
        _end += count;
        _waitForMore = false;
    }

    /// <summary>Gives the slab back unless it holds bytes: after a receive that brought none.</summary>
    internal void ReleaseIfEmpty()
    {
        if (_start == _end && !IsLent) Release();
    }

    internal void Release()
    {
        if (_slab is null) return;
        slabs.Return(_slab);
        _slab = null;
        _start = _end = 0;
        IsLent = false;
    }

    private Slab Lease()
    {
        _start = _end = 0;
        return _slab = slabs.Lease(_sizeHint);
    }

    private Slab MakeRoom(Slab slab)
    {
        int length = _end - _start;
        if (_start > 0) Buffer.BlockCopy(slab.Array, _start, slab.Array, 0, length);
        else
        {
            if (slab.Length >= SlabPool.LargeSize) throw new InvalidOperationException("a reader examined a full buffer of the largest size without consuming");
            Slab larger = slabs.Lease(slab.Length + 1);
            slab.Array.AsSpan(0, length).CopyTo(larger.Array);
            slabs.Return(slab);
            _slab = slab = larger;
        }
        _start = 0;
        _end = length;
        return slab;
    }
}
