namespace LoadBalancer.Caching.Rules;

/// <summary>The choices that RFC 9111 leaves to a shared cache, and those in which an operator departs from it. Immutable; the defaults are those of the RFC.</summary>
public sealed record CachePolicy
{
    /// <summary>The defaults.</summary>
    public static CachePolicy Default { get; } = new();

    /// <summary>Share of the time since Last-Modified for which a response without explicit lifetime is fresh (RFC 9111 §4.2.2). 0 turns it off. Default 0.1.</summary>
    public double HeuristicFraction { get; init; } = 0.1;

    /// <summary>Longest heuristic lifetime, in seconds. Default 24 h.</summary>
    public int HeuristicSecondsMax { get; init; } = 24 * 3600;

    /// <summary>
    /// Heuristic lifetimes also for 404, 405, 410, 414 and 501 (RFC 9110 §15.1 allows it). Default off: errors are stored only where the response or
    /// <see cref="Lifetimes"/> says for how long.
    /// </summary>
    public bool HeuristicForErrors { get; init; }

    /// <summary>Lifetimes by status, as nginx's proxy_cache_valid; the first that covers a status counts. Default none.</summary>
    public IReadOnlyList<StatusLifetime> Lifetimes { get; init; } = [];

    /// <summary>Fields of responses that are taken for absent, as nginx's proxy_ignore_headers. They are told on to clients all the same. Default none.</summary>
    public IgnoredFields Ignored { get; init; }

    /// <summary>What becomes of a response with Set-Cookie. Default: not stored, as nginx does; another client would get the cookie.</summary>
    public SetCookieRule SetCookie { get; init; } = SetCookieRule.Refuse;

    /// <summary>Whether Cache-Control and Pragma of requests count, which RFC 9111 §5.2.1 wants; off, clients cannot make the origin work. Default on.</summary>
    public bool HonorsRequests { get; init; } = true;

    /// <summary>Whether CDN-Cache-Control, where it is valid, replaces Cache-Control and Expires (RFC 9213). Default on.</summary>
    public bool UsesCdnCacheControl { get; init; } = true;

    /// <summary>
    /// Whether responses are stored whose end is the end of the connection: a truncated one looks like a complete one. Default off.
    /// </summary>
    public bool StoresUntilClose { get; init; }

    /// <summary>Seconds of stale-while-revalidate for responses that do not say any. Default 0.</summary>
    public int StaleWhileRevalidate { get; init; }

    /// <summary>Seconds of stale-if-error for responses that do not say any. Default 0.</summary>
    public int StaleIfError { get; init; }

    /// <summary>Whether clients see Surrogate-Key and Cache-Tag, which are for the cache. Default off.</summary>
    public bool SendsTags { get; init; }

    /// <summary>The rule for a status, or null.</summary>
    internal StatusLifetime? LifetimeOf(int status)
    {
        for (int i = 0; i < Lifetimes.Count; i++)
        {
            StatusLifetime lifetime = Lifetimes[i];
            if (status >= lifetime.From && status <= lifetime.To) return lifetime;
        }
        return null;
    }
}

/// <summary>For how long responses with a status are fresh.</summary>
/// <param name="From">First status.</param>
/// <param name="To">Last status.</param>
/// <param name="Seconds">Lifetime, from when the response came; 0: always to be revalidated.</param>
/// <param name="Overrides">Also where the response says otherwise; else only where it says nothing.</param>
public readonly record struct StatusLifetime(int From, int To, int Seconds, bool Overrides);

/// <summary>Fields of responses that an operator takes for absent.</summary>
[Flags]
public enum IgnoredFields : byte
{
    /// <summary>None.</summary>
    None = 0,
    /// <summary>Cache-Control and CDN-Cache-Control, also no-store and private.</summary>
    CacheControl = 1,
    /// <summary>Expires.</summary>
    Expires = 2,
    /// <summary>Vary: for origins that name fields on which nothing depends.</summary>
    Vary = 4,
}

/// <summary>What becomes of a response with Set-Cookie.</summary>
public enum SetCookieRule : byte
{
    /// <summary>It is not stored.</summary>
    Refuse,
    /// <summary>It is stored without the field; who caused it gets it.</summary>
    Drop,
}
