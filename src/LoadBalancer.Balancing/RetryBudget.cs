namespace LoadBalancer.Balancing;

/// <summary>
/// Bounds retries to a part of the requests, so that a cluster in trouble does not get a multiple of its load on top: Finagle's retry budget.
/// Every request adds a part of a retry, every second a few whole ones, each retry takes one; what is not used within
/// <see cref="MemorySeconds"/> is lost. Hedges are bounded the same way, from a budget of their own. Thread-safe and lock-free: requests are
/// counted by their writers, each in a word of its own; the sum is made when a retry is wanted, which is rare.
/// </summary>
public sealed class RetryBudget
{
    /// <summary>Finagle's time to live of a deposit: also the burst that is allowed after quiet times, in seconds of what is granted.</summary>
    public const double MemorySeconds = 10;

    private readonly double _share, _perSecondMin, _secondsPerTick;
    private readonly PaddedCounter[] _requests;
    private Balance _balance;

    /// <summary>A budget that is full at <paramref name="now"/>.</summary>
    /// <param name="share">Retries for each request, 0 and up.</param>
    /// <param name="perSecondMin">Retries a second granted whatever the requests, so that few requests can be repeated too.</param>
    /// <param name="writers">How many threads count requests.</param>
    /// <param name="timestampFrequency">Timestamp ticks in a second.</param>
    /// <param name="now">Timestamp ticks.</param>
    public RetryBudget(double share, double perSecondMin, int writers, long timestampFrequency, long now)
    {
        _share = share;
        _perSecondMin = perSecondMin;
        _secondsPerTick = 1.0 / timestampFrequency;
        _requests = new PaddedCounter[writers];
        _balance = new Balance(0, now, perSecondMin * MemorySeconds);
    }

    /// <summary>Counts a request (not a retry) by one writer, 0 and up; each writer is one thread.</summary>
    // Hot path: per request. 0 allocations, nothing shared.
    public void CountRequest(int writer)
    {
        ref long requests = ref _requests[writer].Value;
        Volatile.Write(ref requests, requests + 1);
    }

    /// <summary>Takes one retry from the budget; false when it is spent. Any thread.</summary>
    public bool TryTake(long now)
    {
        while (true)
        {
            Balance before = Volatile.Read(ref _balance);
            Balance after = Advance(before, now);
            bool granted = after.Retries >= 1;
            if (granted) after = after with { Retries = after.Retries - 1 };
            if (ReferenceEquals(Interlocked.CompareExchange(ref _balance, after, before), before)) return granted;
        }
    }

    // What was there fades over the memory; of what came since, at most the memory's worth counts.
    private Balance Advance(Balance before, long now)
    {
        long requests = 0;
        for (int i = 0; i < _requests.Length; i++) requests += Volatile.Read(ref _requests[i].Value);
        requests = Math.Max(requests, before.Requests); // another thread has summed up later than this one
        double seconds = Math.Max(0, now - before.At) * _secondsPerTick;
        double granted = _share * (requests - before.Requests) + _perSecondMin * seconds;
        double kept = Math.Max(0, 1 - seconds / MemorySeconds), counted = MemorySeconds / Math.Max(seconds, MemorySeconds);
        return new Balance(requests, Math.Max(now, before.At), before.Retries * kept + granted * counted);
    }

    /// <summary>Retries left when so many requests had been counted at a time.</summary>
    private sealed record Balance(long Requests, long At, double Retries);
}
