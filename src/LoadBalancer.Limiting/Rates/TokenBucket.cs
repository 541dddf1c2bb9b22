namespace LoadBalancer.Limiting.Rates;

/// <summary>
/// A bucket of tokens for each key, which fills evenly and holds at most a burst: kept as the one time at which it will be full again, the generic cell rate
/// algorithm in its virtual scheduling form (ITU-T I.371, annex A). Exact.
/// </summary>
public sealed class TokenBucket : RateLimit
{
    private readonly long _interval; // ticks for one token; rounded up, so that never more than the rate is let through
    private readonly long _full, _owedMax;

    /// <param name="quota">Tokens in <paramref name="periodTicks"/>.</param>
    /// <param name="periodTicks">Ticks of the caller's clock.</param>
    /// <param name="burst">Tokens that a bucket holds: what may be used at once.</param>
    /// <param name="capacity">Keys that are known at a time.</param>
    public TokenBucket(long quota, long periodTicks, long burst, int capacity) : base(quota, periodTicks, capacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(burst, 1);
        Burst = burst;
        _interval = (periodTicks + quota - 1) / quota;
        _full = checked(_interval * burst);
        _owedMax = Math.Min(_full, long.MaxValue / (2 * SharersMax)) * SharersMax;
    }

    /// <summary>
    /// Nodes that may share a limit and pay back all that they have let through before they heard of one another. Nothing that is said from elsewhere
    /// (<see cref="Raise"/>) empties a bucket further than by so many bursts.
    /// </summary>
    public const int SharersMax = 64;

    /// <summary>Tokens that a bucket holds.</summary>
    public long Burst { get; }

    /// <summary>What has been taken of each key, so that other nodes can be told. Null (default): nobody is.</summary>
    public TakenCosts? Taken
    {
        get => Noted;
        init => Noted = value;
    }

    /// <summary>Most ticks that a key may be away from a full bucket.</summary>
    public long OwedMax => _owedMax;

    /// <summary>Ticks in which a bucket gets so many tokens.</summary>
    public long TicksFor(long cost) => _interval * cost;

    /// <summary>Ticks until the key's bucket is full: 0 when it is.</summary>
    public long Owed(ulong key, long now)
    {
        int at = IndexOf(key);
        return at < 0 ? 0 : Math.Max(Volatile.Read(ref State(at)) - now, 0);
    }

    /// <summary>
    /// Lets a key be at least so many ticks away from a full bucket: what all nodes have taken together. What this one has taken since it told the others
    /// (<see cref="Taken"/>) comes on top. It only ever takes away, so an old word does no harm.
    /// </summary>
    public void Raise(ulong key, long owed, long now)
    {
        long fullAt = now + Math.Clamp(owed, 0, _owedMax) + TicksFor(Noted?.Of(key) ?? 0);
        if (fullAt <= now) return;
        ref long state = ref State(Find(key, now));
        long stored = Volatile.Read(ref state);
        while (stored < fullAt)
        {
            long seen = Interlocked.CompareExchange(ref state, fullAt, stored);
            if (seen == stored) return;
            stored = seen;
        }
    }

    // The state: when the bucket will be full. Now or earlier: it is.
    private protected override long Weight(long state, long now) => state - now;

    private protected override RateDecision Decide(ref long state, int cost, long now, bool isTaking)
    {
        long emptied = _interval * cost;
        while (true)
        {
            long stored = Volatile.Read(ref state);
            long fullAt = Math.Max(stored, now) + emptied;
            long late = fullAt - now - _full;
            if (late > 0)
            {
                long debt = Math.Max(stored - now, 0);
                return new(false, Math.Max(_full - debt, 0) / _interval, cost > Burst ? long.MaxValue : late, debt);
            }
            if (isTaking && Interlocked.CompareExchange(ref state, fullAt, stored) != stored) continue;
            return new(true, (_full - (fullAt - now)) / _interval, 0, fullAt - now);
        }
    }
}
