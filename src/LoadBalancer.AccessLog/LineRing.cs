namespace LoadBalancer.AccessLog;

/// <summary>Whole lines from one thread to another, without a lock; a line for which there is no room is refused.</summary>
internal sealed class LineRing(int capacity)
{
    private readonly byte[] _bytes = new byte[capacity];
    private long _head, _tail; // bytes read and written since the start

    /// <summary>Room for one line; the producer's alone.</summary>
    internal byte[] Scratch { get; } = new byte[64 << 10];

    /// <summary>Requests seen, for sampling; the producer's alone.</summary>
    internal long Seen { get; set; }

    internal int Capacity => _bytes.Length;

    /// <summary>Lines dropped; written by the producer.</summary>
    internal long Dropped;

    internal int Count => (int)(Volatile.Read(ref _tail) - Volatile.Read(ref _head));

    internal bool TryWrite(ReadOnlySpan<byte> line)
    {
        if (line.Length > _bytes.Length - (int)(_tail - Volatile.Read(ref _head))) return false;
        int at = (int)(_tail % _bytes.Length), first = Math.Min(line.Length, _bytes.Length - at);
        line[..first].CopyTo(_bytes.AsSpan(at));
        line[first..].CopyTo(_bytes);
        Volatile.Write(ref _tail, _tail + line.Length);
        return true;
    }

    /// <summary>Takes whole lines, as many as fit.</summary>
    /// <param name="destination">At least as long as a line may be.</param>
    internal int Read(Span<byte> destination)
    {
        int count = Math.Min((int)(Volatile.Read(ref _tail) - _head), destination.Length);
        int at = (int)(_head % _bytes.Length), first = Math.Min(count, _bytes.Length - at);
        _bytes.AsSpan(at, first).CopyTo(destination);
        _bytes.AsSpan(0, count - first).CopyTo(destination[first..]);
        count = destination[..count].LastIndexOf((byte)'\n') + 1;
        Volatile.Write(ref _head, _head + count);
        return count;
    }
}
