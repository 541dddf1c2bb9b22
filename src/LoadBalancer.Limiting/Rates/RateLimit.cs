using LoadBalancer.Limiting.Keys;

namespace LoadBalancer.Limiting.Rates;

/// <summary>So much in so much time, for each key by itself. Thread-safe, lock-free; memory is what the constructor takes, whatever keys come.</summary>
public abstract class RateLimit : KeyTable
{
    private protected RateLimit(long quota, long periodTicks, int capacity) : base(capacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(quota, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(periodTicks, 1);
        Quota = quota;
        PeriodTicks = periodTicks;
    }

    /// <summary>What a key may use up in <see cref="PeriodTicks"/>.</summary>
    public long Quota { get; }

    /// <summary>Ticks of the caller's clock.</summary>
    public long PeriodTicks { get; }

    private protected TakenCosts? Noted { get; init; }

    /// <summary>Takes the cost from the key's quota, or tells when it could be taken.</summary>
    /// <param name="key">Of <see cref="KeyHash"/>.</param>
    /// <param name="cost">At least 1.</param>
    /// <param name="now">The caller's clock, never negative.</param>
    public RateDecision TryTake(ulong key, int cost, long now)
    {
        RateDecision decision = Decide(ref State(Find(key, now)), cost, now, isTaking: true);
        if (decision.IsAllowed) Noted?.Add(key, cost);
        return decision;
    }

    /// <summary>What <see cref="TryTake"/> would say, without taking.</summary>
    public RateDecision Peek(ulong key, int cost, long now)
    {
        int at = IndexOf(key);
        long state = at < 0 ? 0 : Volatile.Read(ref State(at));
        return Decide(ref state, cost, now, isTaking: false);
    }

    private protected abstract RateDecision Decide(ref long state, int cost, long now, bool isTaking);
}
