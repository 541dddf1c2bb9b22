using System.Buffers;

namespace LoadBalancer.Caching.Storage.Bodies;

/// <summary>
/// One block of a body.
/// <para>Invariant: <see cref="_block"/> is valid for <see cref="Capacity"/> bytes from the constructor until <see cref="Free"/>, and null from then on. It is freed by
/// its body alone, when the last reference to that is released: nobody who holds one can see it freed. Memory kept longer than the reference throws when it
/// is looked at. It moves (<see cref="Shrink"/>) only while nobody but the writer holds a reference.</para>
/// </summary>
internal sealed unsafe class BodySegment : MemoryManager<byte>
{
    private readonly StoredBody _body;
    private readonly BodyMemory _memory;
    private byte* _block;

    private BodySegment(StoredBody body, BodyMemory memory, byte* block, int capacity, long start)
    {
        _body = body;
        _memory = memory;
        _block = block;
        Capacity = capacity;
        Start = start;
    }

    internal static BodySegment? TryCreate(StoredBody body, BodyMemory memory, int capacity, long start)
    {
        byte* block = memory.TryAllocate(capacity);
        return block == null ? null : new(body, memory, block, capacity, start);
    }

    internal int Capacity { get; private set; }

    /// <summary>Where it begins in the body.</summary>
    internal long Start { get; }

    public override Span<byte> GetSpan()
    {
        if (_block == null) throw new ObjectDisposedException(nameof(StoredBody), "the memory of a body was used after its release");
        return new(_block, Capacity);
    }

    internal ReadOnlyMemory<byte> Slice(int start, int length) => CreateMemory(start, length);

    internal void Shrink(int capacity)
    {
        if (capacity == Capacity) return;
        _block = _memory.Shrink(_block, Capacity, capacity);
        Capacity = capacity;
    }

    internal void Free()
    {
        byte* block = _block;
        _block = null;
        _memory.Free(block, Capacity);
    }

    // Native memory does not move: to pin is to hold a reference.
    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)elementIndex, (uint)Capacity, nameof(elementIndex));
        ObjectDisposedException.ThrowIf(!_body.TryAcquire(), _body);
        return new(_block + elementIndex, default, this);
    }

    public override void Unpin() => _body.Release();

    // Freed by its body, never by whoever gets hold of the manager.
    protected override void Dispose(bool disposing)
    {
    }
}
