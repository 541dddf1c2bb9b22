namespace LoadBalancer.Limiting.Rates;

/// <summary>
/// At most a quota in any window of the period, for each key: counted in windows of fixed borders, of which the one before counts with the share that still lies in
/// the sliding one, as if its requests had come evenly (the approximation that Cloudflare has described, with few wrong verdicts in a thousand). No
/// burst beyond the quota, which a token bucket with a burst of its quota allows twice in a period.
/// </summary>
public sealed class SlidingWindow : RateLimit
{
    /// <summary>Largest quota: what a count has bits for.</summary>
    public const int QuotaMax = (1 << CountBits) - 1;

    private const int CountBits = 20, NumberBits = 64 - 2 * CountBits;
    private const long CountMask = QuotaMax, NumberMask = (1 << NumberBits) - 1;

    /// <inheritdoc cref="TokenBucket(long, long, long, int)"/>
    public SlidingWindow(long quota, long periodTicks, int capacity) : base(quota, periodTicks, capacity) =>
        ArgumentOutOfRangeException.ThrowIfGreaterThan(quota, QuotaMax);

    // The state: the number of the window (its low bits), the count in the one before, the count in it.
    private static long Pack(long number, long before, long count) => (number & NumberMask) << (2 * CountBits) | before << CountBits | count;

    private static void Unpack(long state, long number, out long before, out long count)
    {
        long age = (number - (state >> (2 * CountBits))) & NumberMask;
        long stored = state & CountMask;
        (before, count) = age switch
        {
            0 => ((state >> CountBits) & CountMask, stored),
            1 => (stored, 0),
            _ => (0, 0),
        };
    }

    private protected override long Weight(long state, long now)
    {
        Unpack(state, now / PeriodTicks, out long before, out long count);
        return (long)Math.Ceiling(Used(before, count, now % PeriodTicks));
    }

    private double Used(long before, long count, long elapsed) => before * (1 - (double)elapsed / PeriodTicks) + count;

    private protected override RateDecision Decide(ref long state, int cost, long now, bool isTaking)
    {
        (long number, long elapsed) = Math.DivRem(now, PeriodTicks);
        while (true)
        {
            long stored = Volatile.Read(ref state);
            Unpack(stored, number, out long before, out long count);
            double used = Used(before, count, elapsed);
            if (used + cost > Quota) return new(false, (long)Math.Max(Quota - used, 0), RetryAfter(before, count, cost, elapsed), ResetAfter(count, elapsed));
            if (isTaking && Interlocked.CompareExchange(ref state, Pack(number, before, count + cost), stored) != stored) continue;
            return new(true, (long)(Quota - used - cost), 0, ResetAfter(count + cost, elapsed));
        }
    }

    // What was counted last has left the sliding window a whole window after its own has ended.
    private long ResetAfter(long count, long elapsed) => PeriodTicks - elapsed + (count > 0 ? PeriodTicks : 0);

    private long RetryAfter(long before, long count, int cost, long elapsed)
    {
        if (cost > Quota) return long.MaxValue;
        // In this window, when enough of the one before has slid out; else in the next, when enough of this one has.
        if (count + cost <= Quota) return SlidOut(before, Quota - cost - count) - elapsed;
        return PeriodTicks - elapsed + SlidOut(count, Quota - cost);
    }

    private long SlidOut(long count, long allowed) => (long)Math.Ceiling(PeriodTicks * (1 - (double)allowed / count)) + 1;
}
