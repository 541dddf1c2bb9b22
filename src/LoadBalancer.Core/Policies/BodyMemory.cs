namespace LoadBalancer.Core.Policies;

/// <summary>Memory for the bodies that policies read, for the whole server. Thread-safe.</summary>
/// <param name="bytesMax">See <see cref="BytesMax"/>.</param>
internal sealed class BodyMemory(long bytesMax)
{
    private long _bytesMax = bytesMax;

    /// <summary>All of it, in bytes. What is taken beyond a new bound stays taken.</summary>
    internal long BytesMax
    {
        get => Volatile.Read(ref _bytesMax);
        set => Volatile.Write(ref _bytesMax, value);
    }

    private long _taken;

    /// <summary>What is taken, in bytes.</summary>
    internal long Taken => Volatile.Read(ref _taken);

    internal bool TryTake(long bytes)
    {
        if (Interlocked.Add(ref _taken, bytes) <= BytesMax) return true;
        Interlocked.Add(ref _taken, -bytes);
        return false;
    }

    internal void Return(long bytes) => Interlocked.Add(ref _taken, -bytes);
}
