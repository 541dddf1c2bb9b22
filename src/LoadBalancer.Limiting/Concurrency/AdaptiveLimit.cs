namespace LoadBalancer.Limiting.Concurrency;

/// <summary>Who is turned away first when there is too much.</summary>
public enum LoadPriority
{
    /// <summary>The first to be turned away.</summary>
    Low,
    /// <summary>What is not said otherwise.</summary>
    Normal,
    /// <summary>The last to be turned away.</summary>
    High,
}

/// <summary>
/// A limit on what is under way at a time, found by itself: latency that rises over its long-run mean says that requests queue somewhere, and lowers the limit; else it
/// grows, by about its square root, while it is used (the Gradient2 algorithm of Netflix's concurrency-limits). Thread-safe, lock-free; one sample is one addition.
/// Latencies are those of completed requests; what failed at once must not be told, it would look fast.
/// </summary>
public sealed class AdaptiveLimit
{
    // Shares of the limit up to which each priority is let in.
    private const double LowShare = 0.7, NormalShare = 0.9;
    private const double LongWeight = 2.0 / (LongWindows + 1), Smoothing = 0.2;
    private const int LongWindows = 600;

    private readonly AdaptiveLimitOptions _options;
    private double _limit, _longMean;
    private long _sum, _count, _peak, _windowEnd, _outstanding;
    private int _closing;

    /// <param name="options">Bounds; checked by whoever makes them.</param>
    public AdaptiveLimit(AdaptiveLimitOptions options)
    {
        _options = options;
        _limit = options.InitialLimit;
    }

    /// <summary>Most at a time, now.</summary>
    public int Limit => (int)Volatile.Read(ref _limit);

    /// <summary>How many are under way.</summary>
    public long Outstanding => Volatile.Read(ref _outstanding);

    /// <summary>Lets one in, who owes <see cref="Leave"/>.</summary>
    public bool TryEnter(LoadPriority priority)
    {
        double limit = Volatile.Read(ref _limit);
        double allowed = Math.Max(priority switch { LoadPriority.Low => limit * LowShare, LoadPriority.Normal => limit * NormalShare, _ => limit }, 1);
        long outstanding = Interlocked.Increment(ref _outstanding);
        if (outstanding <= allowed)
        {
            if (outstanding > Volatile.Read(ref _peak)) Volatile.Write(ref _peak, outstanding); // a race loses one of two peaks that are alike
            return true;
        }
        Interlocked.Decrement(ref _outstanding);
        return false;
    }

    /// <summary>One that was let in is gone.</summary>
    /// <param name="latencyTicks">How long it took, or negative where that says nothing about the load.</param>
    /// <param name="now">The caller's clock.</param>
    public void Leave(long latencyTicks, long now)
    {
        Interlocked.Decrement(ref _outstanding);
        if (latencyTicks < 0) return;
        Interlocked.Add(ref _sum, latencyTicks);
        if (Interlocked.Increment(ref _count) < _options.SamplesMin || now < Volatile.Read(ref _windowEnd)) return;
        if (Interlocked.Exchange(ref _closing, 1) != 0) return; // another thread does it
        if (now >= Volatile.Read(ref _windowEnd)) CloseWindow(now);
        Volatile.Write(ref _closing, 0);
    }

    private void CloseWindow(long now)
    {
        long count = Interlocked.Exchange(ref _count, 0), sum = Interlocked.Exchange(ref _sum, 0), peak = Interlocked.Exchange(ref _peak, 0);
        Volatile.Write(ref _windowEnd, now + _options.WindowTicks);
        if (count == 0) return;
        double mean = Math.Max((double)sum / count, 1);
        _longMean = _longMean == 0 ? mean : _longMean + (mean - _longMean) * LongWeight;
        // After a long time of load the long-run mean would stay high for minutes: it comes down faster than it rises.
        if (_longMean / mean > 2) _longMean *= 0.95;
        double limit = _limit;
        double gradient = Math.Clamp(_options.Tolerance * _longMean / mean, 0.5, 1);
        if (gradient == 1 && peak < limit / 2) return; // what is not used says nothing about how much could be
        double next = limit * gradient + Math.Sqrt(limit);
        Volatile.Write(ref _limit, Math.Clamp(limit + (next - limit) * Smoothing, _options.LimitMin, _options.LimitMax));
    }
}

/// <summary>Bounds of an <see cref="AdaptiveLimit"/>.</summary>
public sealed record AdaptiveLimitOptions
{
    /// <summary>The limit at the start.</summary>
    public int InitialLimit { get; init; } = 100;

    /// <summary>The limit never falls below; at least 1.</summary>
    public int LimitMin { get; init; } = 10;

    /// <summary>The limit never rises above.</summary>
    public int LimitMax { get; init; } = 10_000;

    /// <summary>How much the latency may rise over its long-run mean before the limit falls: 1.5 is by half.</summary>
    public double Tolerance { get; init; } = 1.5;

    /// <summary>Ticks of the caller's clock over which latencies are averaged.</summary>
    public required long WindowTicks { get; init; }

    /// <summary>Fewest latencies in a window.</summary>
    public int SamplesMin { get; init; } = 10;
}
