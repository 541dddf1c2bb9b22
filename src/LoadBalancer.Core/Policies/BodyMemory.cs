namespace LoadBalancer.Core.Policies;

/// <summary>Memory for the bodies that policies read, for the whole server. Thread-safe.</summary>
/// <param name="bytesMax">All of it, in bytes.</param>
internal sealed class BodyMemory(long bytesMax)
{
    private long _taken;

    /// <summary>What is taken, in bytes.</summary>
    internal long Taken => Volatile.Read(ref _taken);

    internal bool TryTake(long bytes)
    {
        if (Interlocked.Add(ref _taken, bytes) <= bytesMax) return true;
        Interlocked.Add(ref _taken, -bytes);
        return false;
    }

    internal void Return(long bytes) => Interlocked.Add(ref _taken, -bytes);
}
