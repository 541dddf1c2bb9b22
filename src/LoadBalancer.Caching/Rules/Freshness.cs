namespace LoadBalancer.Caching.Rules;

/// <summary>How long a response is fresh, and how old it is (RFC 9111 §4.2). No clock: times are arguments, in milliseconds since the Unix epoch. Never allocates.</summary>
public static class Freshness
{
    /// <summary>The lifetime: an override, s-maxage, max-age, Expires less Date, a default of the policy, 10 % of the time since Last-Modified; the first that is there.</summary>
    /// <param name="response">The response.</param>
    /// <param name="policy">The policy.</param>
    /// <param name="responseTime">When it came: stands for Date where there is none.</param>
    public static Lifetime LifetimeOf(in ResponseFacts response, CachePolicy policy, long responseTime)
    {
        StatusLifetime? rule = policy.LifetimeOf(response.Status);
        if (rule is { Overrides: true }) return new(rule.Value.Seconds, LifetimeSource.Override);
        CacheControl control = response.Control;
        if (control.SharedMaxAge >= 0) return new(control.SharedMaxAge, LifetimeSource.SharedMaxAge);
        if (control.MaxAge >= 0) return new(control.MaxAge, LifetimeSource.MaxAge);
        long date = response.Date == ResponseFacts.NoDate ? responseTime : response.Date;
        if (response.HasExpires) return new(response.Expires == ResponseFacts.NoDate ? 0 : SecondsBetween(date, response.Expires), LifetimeSource.Expires);
        if (rule is not null) return new(rule.Value.Seconds, LifetimeSource.Default);
        if (response.LastModified == ResponseFacts.NoDate || policy.HeuristicFraction <= 0) return default;
        if (!control.Has(CacheDirectives.Public) && !Storability.IsHeuristic(response.Status, policy)) return default;
        return new((int)Math.Min(SecondsBetween(response.LastModified, date) * policy.HeuristicFraction, policy.HeuristicSecondsMax), LifetimeSource.Heuristic);
    }

    /// <summary>corrected_initial_age (§4.2.3), in milliseconds.</summary>
    /// <param name="response">The response.</param>
    /// <param name="requestTime">When the request was sent.</param>
    /// <param name="responseTime">When the response came.</param>
    public static long InitialAgeOf(in ResponseFacts response, long requestTime, long responseTime)
    {
        // Date has whole seconds: a response of this very second is not up to one second old.
        long apparent = response.Date == ResponseFacts.NoDate ? 0 : Math.Max(0, responseTime - response.Date) / 1000 * 1000;
        long corrected = response.Age * 1000L + Math.Max(0, responseTime - requestTime);
        return Math.Max(apparent, corrected);
    }

    private static int SecondsBetween(long from, long to) => (int)Math.Clamp((to - from) / 1000, 0, int.MaxValue);
}

/// <summary>A freshness lifetime with its origin.</summary>
/// <param name="Seconds">In seconds.</param>
/// <param name="Source">Who said so.</param>
public readonly record struct Lifetime(int Seconds, LifetimeSource Source);

/// <summary>Where a lifetime comes from. Names are stable: they stand in "lb cache why".</summary>
public enum LifetimeSource : byte
{
    /// <summary>There is none: to be revalidated each time.</summary>
    None,
    /// <summary>A rule of the policy that counts whatever the response says.</summary>
    Override,
    /// <summary>s-maxage.</summary>
    SharedMaxAge,
    /// <summary>max-age.</summary>
    MaxAge,
    /// <summary>Expires.</summary>
    Expires,
    /// <summary>A rule of the policy for responses that say nothing.</summary>
    Default,
    /// <summary>A share of the time since Last-Modified.</summary>
    Heuristic,
}
