using System.Runtime.InteropServices;

namespace LoadBalancer.Caching.Storage.Bodies;

/// <summary>
/// The native memory of bodies: being received, stored, or evicted and still sent. It has one bound, so that answers in flight cannot take more than they are
/// given. Any thread.
/// </summary>
public sealed unsafe class BodyMemory
{
    // A block that was given back stays poisoned for this many further ones, where tests ask for it.
    private const int QuarantineMax = 256;
    private const byte Poison = 0xDD;

    private readonly Queue<(nint Pointer, int Length)>? _quarantine;
    private long _bytes, _blocks, _leaked;

    /// <param name="bytesMax">Most bytes at one time, with what the allocator adds to each block.</param>
    public BodyMemory(long bytesMax) : this(bytesMax, poisons: false)
    {
    }

    /// <param name="bytesMax">Most bytes at one time.</param>
    /// <param name="poisons">Whether freed blocks are overwritten and kept a while, to see whether somebody still reads or writes them.</param>
    internal BodyMemory(long bytesMax, bool poisons)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytesMax);
        BytesMax = bytesMax;
        if (poisons) _quarantine = new();
    }

    /// <summary>Most bytes at one time.</summary>
    public long BytesMax { get; }

    /// <summary>Bytes allocated now, with what the allocator adds.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Blocks allocated now.</summary>
    public long Blocks => Volatile.Read(ref _blocks);

    /// <summary>Bodies that were forgotten instead of released, and freed by the collector: a fault of ours, unless a whole store was dropped without being purged.</summary>
    public long LeakedBodies => Volatile.Read(ref _leaked);

    /// <summary>What a block of this length costs: malloc of glibc has eight bytes before it and rounds to sixteen.</summary>
    internal static long CostOf(int length) => Math.Max(32, (length + 8L + 15) & ~15L);

    /// <summary>Null when there is no room within the bound, or the system has none.</summary>
    internal byte* TryAllocate(int length)
    {
        long cost = CostOf(length);
        if (Interlocked.Add(ref _bytes, cost) > BytesMax)
        {
            Interlocked.Add(ref _bytes, -cost);
            return null;
        }
        try
        {
            byte* block = (byte*)NativeMemory.Alloc((nuint)length);
            Interlocked.Increment(ref _blocks);
            return block;
        }
        catch (OutOfMemoryException)
        {
            Interlocked.Add(ref _bytes, -cost);
            return null;
        }
    }

    /// <summary>Makes a block smaller; it may lie elsewhere then.</summary>
    internal byte* Shrink(byte* block, int length, int shorter)
    {
        byte* moved = (byte*)NativeMemory.Realloc(block, (nuint)shorter);
        Interlocked.Add(ref _bytes, CostOf(shorter) - CostOf(length));
        return moved;
    }

    internal void Free(byte* block, int length)
    {
        Interlocked.Add(ref _bytes, -CostOf(length));
        Interlocked.Decrement(ref _blocks);
        if (_quarantine is null) NativeMemory.Free(block);
        else Quarantine(block, length);
    }

    internal void NoteLeak() => Interlocked.Increment(ref _leaked);

    private void Quarantine(byte* block, int length)
    {
        new Span<byte>(block, length).Fill(Poison);
        (nint Pointer, int Length) oldest;
        lock (_quarantine!)
        {
            _quarantine.Enqueue(((nint)block, length));
            if (_quarantine.Count <= QuarantineMax) return;
            oldest = _quarantine.Dequeue();
        }
        if (new ReadOnlySpan<byte>((byte*)oldest.Pointer, oldest.Length).ContainsAnyExcept(Poison)) throw new InvalidOperationException("a body was written to after it was freed");
        NativeMemory.Free((byte*)oldest.Pointer);
    }
}
