namespace LoadBalancer.Caching.Rules;

/// <summary>Whether a stored response may answer a request (RFC 9111 §4.2, §4.2.4, §5.2.1, RFC 5861). No state; any thread; never allocates.</summary>
public static class Reuse
{
    /// <summary>Decides.</summary>
    /// <param name="stored">The response that was selected.</param>
    /// <param name="request">The request's directives.</param>
    /// <param name="policy">The policy.</param>
    /// <param name="now">The time.</param>
    /// <param name="isMarkedStale">A soft purge came by: it is stale as of now, whatever its lifetime.</param>
    // Hot path: per hit. 0 allocations. RulesAllocationTests.AHit_AllocatesNothing
    public static ReuseDecision Decide(in StoredTimes stored, in RequestCacheControl request, CachePolicy policy, long now, bool isMarkedStale = false)
    {
        long left = stored.FreshUntil - now;
        if (isMarkedStale) left = Math.Min(left, 0);
        int age = stored.AgeAt(now);
        int ttl = (int)Math.Clamp(left >= 0 ? left / 1000 : -((999 - left) / 1000), int.MinValue, int.MaxValue);
        bool honors = policy.HonorsRequests;
        ReuseKind kind = KindOf(stored, request, honors, left, now, out ForwardReason reason);
        if (kind == ReuseKind.Revalidate && honors && request.OnlyIfCached) kind = ReuseKind.OnlyIfCachedMiss;
        return new(kind, age, ttl, reason);
    }

    /// <summary>Whether the stored response may be sent although revalidating it failed (no answer, or a 500, 502, 503 or 504; RFC 5861 §4).</summary>
    public static bool MayServeOnError(in StoredTimes stored, in RequestCacheControl request, CachePolicy policy, long now, bool isMarkedStale = false)
    {
        if ((stored.Rules & (ReuseRules.AlwaysValidate | ReuseRules.NeverStale)) != 0) return false;
        if (policy.HonorsRequests && request.NoCache) return false;
        int seconds = stored.StaleIfError;
        if (policy.HonorsRequests && request.StaleIfError >= 0 && (stored.Rules & ReuseRules.StaleOnlyIfSaid) == 0) seconds = Math.Max(seconds, request.StaleIfError);
        long left = isMarkedStale ? Math.Min(stored.FreshUntil - now, 0) : stored.FreshUntil - now;
        return seconds > 0 && left > -seconds * 1000L;
    }

    /// <summary>Whether an answer with this status counts as a failure of the origin (RFC 5861 §4).</summary>
    public static bool IsError(int status) => status is 500 or 502 or 503 or 504;

    private static ReuseKind KindOf(in StoredTimes stored, in RequestCacheControl request, bool honors, long left, long now, out ForwardReason reason)
    {
        reason = ForwardReason.Stale;
        if ((stored.Rules & ReuseRules.AlwaysValidate) != 0) return ReuseKind.Revalidate;
        if (honors)
        {
            // §5.2.1.1, §5.2.1.3: what is fresh by the origin's measure may not be so by the client's. max-age=0 is what browsers say for "ask again", so it
            // is not met by a response of this very moment either.
            bool isTooOld = request.MaxAge >= 0 && (request.MaxAge == 0 || stored.AgeMillisecondsAt(now) > request.MaxAge * 1000L);
            if (request.NoCache || isTooOld || (left > 0 && request.MinFresh >= 0 && left < request.MinFresh * 1000L))
            {
                reason = ForwardReason.Request;
                return ReuseKind.Revalidate;
            }
        }
        if (left > 0)
        {
            reason = ForwardReason.None;
            return ReuseKind.Fresh;
        }
        if ((stored.Rules & ReuseRules.NeverStale) != 0) return ReuseKind.Revalidate;
        if (-left < stored.StaleWhileRevalidate * 1000L && !(honors && request.MinFresh >= 0))
        {
            reason = ForwardReason.None;
            return ReuseKind.StaleWhileRevalidate;
        }
        if (honors && request.MaxStale >= 0 && (stored.Rules & ReuseRules.StaleOnlyIfSaid) == 0 && (request.MaxStale == int.MaxValue || -left <= request.MaxStale * 1000L))
        {
            reason = ForwardReason.None;
            return ReuseKind.StaleAllowed;
        }
        return ReuseKind.Revalidate;
    }
}

/// <summary>What may be done with a stored response for a request.</summary>
/// <param name="Kind">What may be done.</param>
/// <param name="Age">The value of Age, in seconds.</param>
/// <param name="Ttl">Seconds for which it is still fresh; negative when stale: the value of ttl in Cache-Status.</param>
/// <param name="Reason">Why it has to be forwarded; None for a hit.</param>
public readonly record struct ReuseDecision(ReuseKind Kind, int Age, int Ttl, ForwardReason Reason)
{
    /// <summary>It is sent without asking the origin first.</summary>
    public bool IsHit => Kind is ReuseKind.Fresh or ReuseKind.StaleAllowed or ReuseKind.StaleWhileRevalidate;
}

/// <summary>What may be done with a stored response.</summary>
public enum ReuseKind : byte
{
    /// <summary>Fresh: send it.</summary>
    Fresh,
    /// <summary>Stale, but the client takes it (max-stale): send it.</summary>
    StaleAllowed,
    /// <summary>Stale: send it, and revalidate it beside (RFC 5861 §3).</summary>
    StaleWhileRevalidate,
    /// <summary>Ask the origin first; on failure see <see cref="Reuse.MayServeOnError"/>.</summary>
    Revalidate,
    /// <summary>The origin would have to be asked, and the client does not want that: 504 (§5.2.1.7).</summary>
    OnlyIfCachedMiss,
}

/// <summary>Why a request was forwarded: the value of fwd in Cache-Status (RFC 9211 §2.2).</summary>
public enum ForwardReason : byte
{
    /// <summary>It was not: a hit.</summary>
    None,
    /// <summary>The cache does not handle such requests at all.</summary>
    Bypass,
    /// <summary>The method is not one that the cache answers.</summary>
    Method,
    /// <summary>Nothing is stored for the target.</summary>
    UriMiss,
    /// <summary>Something is stored for the target, but not for this request's fields.</summary>
    VaryMiss,
    /// <summary>Nothing fitting is stored, and more cannot be said.</summary>
    Miss,
    /// <summary>What is stored is fresh, but the request does not want it so.</summary>
    Request,
    /// <summary>What is stored is stale, or must be validated each time.</summary>
    Stale,
    /// <summary>A part is stored.</summary>
    Partial,
}
