namespace LoadBalancer.Caching.Rules;

/// <summary>What is kept of a response to tell its age and freshness at any later time. Times are milliseconds since the Unix epoch.</summary>
/// <param name="ResponseTime">When it came, or was last revalidated.</param>
/// <param name="InitialAge">corrected_initial_age, in milliseconds.</param>
/// <param name="FreshUntil">From when on it is stale.</param>
/// <param name="StaleWhileRevalidate">For how many seconds after that it may be sent while it is revalidated.</param>
/// <param name="StaleIfError">For how many seconds after that it may be sent when the origin fails.</param>
/// <param name="Source">Where its lifetime comes from.</param>
/// <param name="Rules">What else restricts its use.</param>
public readonly record struct StoredTimes(long ResponseTime, long InitialAge, long FreshUntil, int StaleWhileRevalidate, int StaleIfError, LifetimeSource Source, ReuseRules Rules)
{
    /// <summary>Of a response that has just come.</summary>
    public static StoredTimes Of(in ResponseFacts response, CachePolicy policy, long requestTime, long responseTime)
    {
        CacheControl control = response.Control;
        Lifetime lifetime = Freshness.LifetimeOf(response, policy, responseTime);
        long initialAge = Freshness.InitialAgeOf(response, requestTime, responseTime);
        // An operator's own lifetime runs from the arrival here, not from when the origin, or a cache before it, made the response.
        bool isOurs = lifetime.Source is LifetimeSource.Override or LifetimeSource.Default;
        ReuseRules rules = ReuseRules.None;
        if (lifetime.Source != LifetimeSource.Override)
        {
            if (control.Has(CacheDirectives.NoCache)) rules |= ReuseRules.AlwaysValidate;
            if (control.Has(CacheDirectives.MustRevalidate | CacheDirectives.ProxyRevalidate)) rules |= ReuseRules.NeverStale;
            if (control.SharedMaxAge >= 0) rules |= ReuseRules.StaleOnlyIfSaid;
        }
        // §4.2.4 with §5.2.2.10: s-maxage forbids stale use as proxy-revalidate does; but an origin that says stale-* beside it has said that it means to allow it.
        bool usesDefaults = (rules & ReuseRules.StaleOnlyIfSaid) == 0;
        return new(responseTime, initialAge, responseTime + lifetime.Seconds * 1000L - (isOurs ? 0 : initialAge),
            control.StaleWhileRevalidate >= 0 ? control.StaleWhileRevalidate : usesDefaults ? policy.StaleWhileRevalidate : 0,
            control.StaleIfError >= 0 ? control.StaleIfError : usesDefaults ? policy.StaleIfError : 0, lifetime.Source, rules);
    }

    /// <summary>current_age (§4.2.3) in whole seconds: the value of Age.</summary>
    public int AgeAt(long now) => (int)Math.Clamp(AgeMillisecondsAt(now) / 1000, 0, int.MaxValue);

    internal long AgeMillisecondsAt(long now) => InitialAge + Math.Max(0, now - ResponseTime);

    /// <summary>From when on it is of no use but to be revalidated.</summary>
    public long StaleUntil => (Rules & (ReuseRules.AlwaysValidate | ReuseRules.NeverStale)) != 0 ? FreshUntil : FreshUntil + Math.Max(StaleWhileRevalidate, StaleIfError) * 1000L;
}

/// <summary>What restricts the use of a stored response.</summary>
[Flags]
public enum ReuseRules : byte
{
    /// <summary>Nothing.</summary>
    None = 0,
    /// <summary>no-cache: never without validation.</summary>
    AlwaysValidate = 1,
    /// <summary>must-revalidate or proxy-revalidate: never stale, not even when the origin fails.</summary>
    NeverStale = 2,
    /// <summary>s-maxage: stale only as far as the response itself allows it.</summary>
    StaleOnlyIfSaid = 4,
}
