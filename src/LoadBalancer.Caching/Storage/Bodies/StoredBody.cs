using System.Diagnostics;

namespace LoadBalancer.Caching.Storage.Bodies;

/// <summary>
/// The bytes of a body in native memory: the collector neither sees nor copies them. One writer appends while an answer arrives and seals it; any number of
/// readers, on any thread, hold a reference while they send. The memory goes with the last reference.
/// <para>Who creates a body holds the first reference and releases it when it has put the body into a store, or has given up; the store holds its own. A reader
/// acquires before it looks and releases after the write that takes the memory has completed (or its connection is closed).</para>
/// </summary>
public sealed class StoredBody
{
    /// <summary>Longest block: what lies together for one write.</summary>
    public const int SegmentBytesMax = 512 * 1024;

    /// <summary>Readers that may wait at one time for more of one body.</summary>
    public const int WatchersMax = 1024;

    private const int FirstSegmentBytes = 16 * 1024;
    private const int Moving = -1; // in _references: the writer, which alone holds one, moves blocks

    // What the objects of a body take: this one, the array, and one for each block.
    private const int ObjectBytes = 96 + 32, SegmentObjectBytes = 56 + 8;

    private readonly BodyMemory _memory;
    private readonly long _bytesMax, _lengthKnown;
    private BodySegment[] _segments = [];
    private BodyWatchers? _watchers;
    private long _length;
    private int _references = 1;
    private volatile State _state;

    private StoredBody(BodyMemory memory, long bytesMax, long length)
    {
        _memory = memory;
        _bytesMax = bytesMax;
        _lengthKnown = length;
    }

    /// <summary>A forgotten reference must not cost memory for ever. Nobody can reach the blocks any more.</summary>
    ~StoredBody()
    {
        if (_segments.Length > 0) _memory.NoteLeak();
        FreeSegments();
    }

    /// <summary>Begins a body. The caller holds one reference.</summary>
    /// <param name="memory">Where its blocks come from.</param>
    /// <param name="bytesMax">Longest body, in bytes.</param>
    /// <param name="length">What the sender said of its length; -1 when it is not known. Blocks are allocated as bytes arrive, not for what is promised.</param>
    public static StoredBody Create(BodyMemory memory, long bytesMax, long length = -1)
    {
        ArgumentNullException.ThrowIfNull(memory);
        return new(memory, bytesMax, length);
    }

    /// <summary>Bytes so far; all of them once it is sealed.</summary>
    public long Length => Volatile.Read(ref _length);

    /// <summary>What was said of its length, or -1.</summary>
    public long LengthKnown => _lengthKnown;

    /// <summary>Complete: nothing is appended any more.</summary>
    public bool IsSealed => _state == State.Sealed;

    /// <summary>Given up before it was complete: who sends it along must break off.</summary>
    public bool IsAbandoned => _state == State.Abandoned;

    /// <summary>Memory it takes, with what the allocator adds, and the objects. Grows until it is sealed.</summary>
    public long SizeBytes
    {
        get
        {
            long size = ObjectBytes;
            foreach (BodySegment segment in Volatile.Read(ref _segments)) size += BodyMemory.CostOf(segment.Capacity) + SegmentObjectBytes;
            return size;
        }
    }

    /// <summary>Appends. The writer only. False when the body would be longer than its bound or than was said, or memory is at its bound: it is abandoned then, and every further call says false.</summary>
    public bool TryAppend(ReadOnlySpan<byte> bytes)
    {
        Debug.Assert(_state != State.Sealed, "a body was appended to after its end");
        if (_state != State.Open) return false;
        if (bytes.IsEmpty) return true;
        if (Append(bytes)) return true;
        Abandon();
        return false;
    }

    private bool Append(ReadOnlySpan<byte> bytes)
    {
        long length = _length;
        if (bytes.Length > (_lengthKnown >= 0 ? Math.Min(_bytesMax, _lengthKnown) : _bytesMax) - length) return false;
        while (!bytes.IsEmpty)
        {
            BodySegment[] segments = _segments;
            BodySegment? last = segments.Length > 0 ? segments[^1] : null;
            int used = last is null ? 0 : (int)(length - last.Start);
            if (last is null || used == last.Capacity)
            {
                last = BodySegment.TryCreate(this, _memory, NextCapacity(length, bytes.Length), length);
                if (last is null) return false;
                // Readers that follow take the length first, so a new array is all they need.
                Volatile.Write(ref _segments, [.. segments, last]);
                used = 0;
            }
            int part = Math.Min(bytes.Length, last.Capacity - used);
            bytes[..part].CopyTo(last.GetSpan()[used..]);
            length += part;
            bytes = bytes[part..];
        }
        Volatile.Write(ref _length, length);
        Notify();
        return true;
    }

    private int NextCapacity(long length, int wanted)
    {
        if (_lengthKnown >= 0) return (int)Math.Min(_lengthKnown - length, SegmentBytesMax);
        // As much again as there is: few blocks, and at most half of them unused.
        long capacity = Math.Max(Math.Max(FirstSegmentBytes, length), wanted);
        return (int)Math.Max(1, Math.Min(Math.Min(capacity, SegmentBytesMax), _bytesMax - length));
    }

    /// <summary>Ends it. The writer only. False, and the body abandoned, when it is shorter than was said; false where it was abandoned before.</summary>
    public bool TrySeal()
    {
        Debug.Assert(_state != State.Sealed, "a body was ended twice");
        if (_state != State.Open) return false;
        if (_lengthKnown >= 0 && _length != _lengthKnown)
        {
            Abandon();
            return false;
        }
        Compact();
        _state = State.Sealed;
        Notify();
        return true;
    }

    /// <summary>Gives it up before its end. The writer only; it still releases its reference.</summary>
    public void Abandon()
    {
        if (_state != State.Open) return;
        _state = State.Abandoned;
        Notify();
    }

    /// <summary>Takes a reference. False when the last one is released already.</summary>
    // Hot path: per hit. 0 allocations.
    public bool TryAcquire()
    {
        int references = Volatile.Read(ref _references);
        while (true)
        {
            if (references == 0) return false;
            if (references == Moving)
            {
                Thread.SpinWait(20);
                references = Volatile.Read(ref _references);
                continue;
            }
            int seen = Interlocked.CompareExchange(ref _references, references + 1, references);
            if (seen == references) return true;
            references = seen;
        }
    }

    /// <summary>Gives a reference back, once for each that was taken.</summary>
    public void Release()
    {
        int left = Interlocked.Decrement(ref _references);
        if (left > 0) return;
        if (left < 0) throw new InvalidOperationException("a body was released more often than acquired");
        FreeSegments();
#pragma warning disable CA1816 // released for good: what Dispose would be
        GC.SuppressFinalize(this);
#pragma warning restore CA1816
    }

    /// <summary>
    /// The bytes that lie together from <paramref name="offset"/> on, at most <paramref name="lengthMax"/>; empty where the body (so far) ends. Sent piece by
    /// piece: <c>for (long at = 0; at &lt; end; at += piece.Length) piece = body.Slice(at, end - at)</c>. Only for who holds a reference.
    /// </summary>
    public ReadOnlyMemory<byte> Slice(long offset, long lengthMax = long.MaxValue)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        long left = Math.Min(Volatile.Read(ref _length) - offset, lengthMax);
        if (left <= 0) return default;
        BodySegment[] segments = Volatile.Read(ref _segments);
        int at = segments.Length - 1;
        if (offset < segments[at].Start)
        {
            int first = 0;
            while (first < at)
            {
                int middle = (first + at + 1) >> 1;
                if (segments[middle].Start <= offset) first = middle;
                else at = middle - 1;
            }
        }
        BodySegment segment = segments[at];
        int start = (int)(offset - segment.Start);
        return segment.Slice(start, (int)Math.Min(left, segment.Capacity - start));
    }

    /// <summary>
    /// Asks to be told when there is more than the <paramref name="seen"/> bytes, or the body ends. False when there already is, or has: look again. One
    /// notice for each call. Throws nothing; <see cref="WatchersMax"/> wait at most, and <paramref name="isFull"/> says that the caller must do without.
    /// </summary>
    public bool TryWatch(IBodyWatcher watcher, long seen, out bool isFull)
    {
        ArgumentNullException.ThrowIfNull(watcher);
        isFull = false;
        if (HasChanged(seen)) return false;
        BodyWatchers watchers = Volatile.Read(ref _watchers) ?? Interlocked.CompareExchange(ref _watchers, new(), null) ?? _watchers!;
        if (!watchers.TryAdd(watcher))
        {
            isFull = true;
            return false;
        }
        // Thread order: the writer publishes, then looks for watchers; we enter, then look at what it published. One of both sees the other.
        Interlocked.MemoryBarrier();
        return !HasChanged(seen) || !watchers.TryRemove(watcher);
    }

    /// <summary>Takes a watcher back. False when its notice is under way, or was given.</summary>
    public bool Unwatch(IBodyWatcher watcher) => Volatile.Read(ref _watchers)?.TryRemove(watcher) ?? false;

    private bool HasChanged(long seen) => Volatile.Read(ref _length) > seen || _state != State.Open;

    private void Notify()
    {
        Interlocked.MemoryBarrier();
        Volatile.Read(ref _watchers)?.NotifyAll(this);
    }

    /// <summary>One block of the exact length where that is possible: one write for each hit, no memory unused. Not while somebody reads along.</summary>
    private void Compact()
    {
        BodySegment[] segments = _segments;
        if (segments.Length == 0) return;
        BodySegment last = segments[^1];
        bool joins = segments.Length > 1 && _length <= SegmentBytesMax && _lengthKnown < 0;
        int lastLength = (int)(_length - last.Start);
        if (!joins && lastLength == last.Capacity) return;
        if (Interlocked.CompareExchange(ref _references, Moving, 1) != 1) return;
        BodySegment? whole = joins ? BodySegment.TryCreate(this, _memory, (int)_length, 0) : null;
        if (whole is null)
        {
            last.Shrink(lastLength);
        }
        else
        {
            foreach (BodySegment segment in segments)
            {
                int part = (int)Math.Min(segment.Capacity, _length - segment.Start);
                segment.GetSpan()[..part].CopyTo(whole.GetSpan()[(int)segment.Start..]);
                segment.Free();
            }
            Volatile.Write(ref _segments, [whole]);
        }
        Volatile.Write(ref _references, 1);
    }

    private void FreeSegments()
    {
        foreach (BodySegment segment in _segments) segment.Free();
    }

    private enum State : byte
    {
        Open,
        Sealed,
        Abandoned,
    }
}
