using LoadBalancer.Http;

namespace LoadBalancer.Caching.Rules;

/// <summary>Whether a response may be stored (RFC 9111 §3). No state; any thread; never allocates.</summary>
public static class Storability
{
    /// <summary>What of it depends on the request alone: known before anything is forwarded.</summary>
    public static StoreVerdict Decide(in RequestFacts request, CachePolicy policy)
    {
        if (request.Method != RequestMethod.Get) return StoreVerdict.Method;
        if (!request.IsPlain) return StoreVerdict.AmbiguousRequest;
        if (request.HasPrecondition) return StoreVerdict.Precondition;
        return policy.HonorsRequests && request.Control.NoStore ? StoreVerdict.RequestNoStore : StoreVerdict.Storable;
    }

    /// <summary>The verdict on a response to a request. Whether its body is complete and short enough is known later, to the caller.</summary>
    public static StoreVerdict Decide(in RequestFacts request, in ResponseFacts response, CachePolicy policy)
    {
        StoreVerdict verdict = Decide(request, policy);
        return verdict == StoreVerdict.Storable ? DecideResponse(request, response, policy) : verdict;
    }

    internal static StoreVerdict DecideResponse(in RequestFacts request, in ResponseFacts response, CachePolicy policy)
    {
        if (response.Status < 200 || response.Status == 304) return StoreVerdict.StatusNotStorable;
        if (response.Status == 206 || response.HasContentRange) return StoreVerdict.Partial;
        if (IsOfRequest(response.Status)) return StoreVerdict.StatusOfRequest;

        CacheControl control = response.Control;
        if (control.Has(CacheDirectives.MustUnderstand))
        {
            // §5.2.2.3: who understands the status is to ignore no-store beside it.
            if (!IsUnderstood(response.Status)) return StoreVerdict.StatusNotUnderstood;
        }
        else if (control.Has(CacheDirectives.NoStore)) return StoreVerdict.NoStore;
        if (control.Has(CacheDirectives.Private)) return StoreVerdict.Private;
        if (request.HasAuthorization && !control.Has(CacheDirectives.Public | CacheDirectives.MustRevalidate) && control.SharedMaxAge < 0) return StoreVerdict.Authorization;
        if (response.HasSetCookie && policy.SetCookie == SetCookieRule.Refuse) return StoreVerdict.SetCookie;
        if (response.VariesByAnything) return StoreVerdict.VaryAny;
        if (response.Framing == MessageFraming.UntilClose && !policy.StoresUntilClose) return StoreVerdict.UnknownLength;
        return DecideUse(response, control, policy);
    }

    // The last clause of §3, and whether there is any use in it.
    private static StoreVerdict DecideUse(in ResponseFacts response, in CacheControl control, CachePolicy policy)
    {
        // Without a date of arrival: only whether there is a lifetime at all counts here.
        Lifetime lifetime = Freshness.LifetimeOf(response, policy, response.Date == ResponseFacts.NoDate ? 0 : response.Date);
        if (lifetime.Source == LifetimeSource.None)
            return response.HasValidator && (control.Has(CacheDirectives.Public) || IsHeuristic(response.Status, policy)) ? StoreVerdict.Storable : StoreVerdict.NoLifetime;
        bool neverFresh = lifetime.Seconds == 0 || control.Has(CacheDirectives.NoCache);
        if (!neverFresh || response.HasValidator) return StoreVerdict.Storable;
        // max-age=0 with stale-*: of use without a validator too.
        bool usableStale = !control.Has(CacheDirectives.NoCache) && (Math.Max(control.StaleWhileRevalidate, control.StaleIfError) > 0
            || (control.StaleWhileRevalidate < 0 && policy.StaleWhileRevalidate > 0) || (control.StaleIfError < 0 && policy.StaleIfError > 0));
        return usableStale ? StoreVerdict.Storable : StoreVerdict.AlwaysStale;
    }

    /// <summary>Statuses that may have a heuristic lifetime (RFC 9110 §15.1); 206 is not stored at all.</summary>
    internal static bool IsHeuristic(int status, CachePolicy policy) =>
        status is 200 or 203 or 204 or 300 or 301 or 308 || (policy.HeuristicForErrors && (status is 404 or 405 or 410 or 414 or 501));

    // Range, Expect, Accept, sizes and rates are no part of the key (known as cache-poisoned denial of service).
    private static bool IsOfRequest(int status) => status is 400 or (>= 406 and <= 408) or (>= 411 and <= 413) or (>= 415 and <= 417) or 421 or 425 or 426 or 429 or 431;

    // The final statuses of RFC 9110 that say nothing special to caches, or whose special rules are kept here.
    private static bool IsUnderstood(int status) => status is >= 200 and <= 205 or >= 300 and <= 303 or 305 or 307 or 308
        or >= 400 and <= 417 or 421 or 422 or 426 or 428 or 429 or 431 or 451 or >= 500 and <= 505 or 511;
}
