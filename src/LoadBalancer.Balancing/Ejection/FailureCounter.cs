namespace LoadBalancer.Balancing;

/// <summary>
/// Failures of one destination, in a row and in the present window. Written by every completion, without a lock: where completions race for
/// a new window some are lost, which a count of twenty does not feel.
/// </summary>
internal struct FailureCounter
{
    private const long OneRequest = 1, OneFailure = 1L << 32;

    private long _windowEnd; // timestamp ticks
    private long _counts;    // of the window: failures in the upper half, requests in the lower
    private int _inARow;

    /// <summary>Counts a completion; true when the destination deserves to be ejected.</summary>
    // Hot path: per attempt. 0 allocations. EjectionTests.PickAndComplete_MixedOutcomes_AllocatesNothing
    internal bool Count(bool isFailure, long now, in FailureLimits limits)
    {
        long end = Volatile.Read(ref _windowEnd);
        if (now >= end && Interlocked.CompareExchange(ref _windowEnd, now + limits.WindowTicks, end) == end) Volatile.Write(ref _counts, 0);
        long counts = Interlocked.Add(ref _counts, isFailure ? OneRequest + OneFailure : OneRequest);
        if (!isFailure)
        {
            if (Volatile.Read(ref _inARow) != 0) Volatile.Write(ref _inARow, 0); // rarely needed: no write while all is well
            return false;
        }
        int inARow = Interlocked.Increment(ref _inARow);
        if (limits.InARow > 0 && inARow >= limits.InARow) return true;
        int requests = (int)counts;
        return requests >= limits.RequestsMin && (int)(counts >> 32) > limits.ShareMax * requests;
    }

    /// <summary>The counts, read one after the other.</summary>
    internal FailureCounts View()
    {
        long counts = Volatile.Read(ref _counts);
        return new(Volatile.Read(ref _inARow), (int)(counts >> 32), (int)counts);
    }

    /// <summary>Forgets everything.</summary>
    internal void Clear()
    {
        Volatile.Write(ref _inARow, 0);
        Volatile.Write(ref _windowEnd, 0);
    }
}

/// <summary>What <see cref="FailureCounter"/> compares with: <see cref="EjectionOptions"/> in its terms.</summary>
internal readonly record struct FailureLimits(int InARow, double ShareMax, int RequestsMin, long WindowTicks);
