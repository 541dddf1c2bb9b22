using LoadBalancer.Core.Protection.Limits;

namespace LoadBalancer.Core.Configuration;

/// <summary>
/// How much each client, or whatever else <see cref="Key"/> says, may use: by rate or at a time. Routes name the limits they are under
/// (<see cref="RouteConfig.Limits"/>); a limit that several routes name is one, with one count for a key.
/// </summary>
public sealed record LimitConfig
{
    /// <summary>Requests in a time: "100/s", "6000/m", "10/h", "50/10s". Null (default) where <see cref="Concurrency"/> is given.</summary>
    public string? Rate { get; init; }

    /// <summary>
    /// What an idle key may use at once, with <see cref="LimitAlgorithm.TokenBucket"/>. 0 (default): the quota of one second, at least 1 (nginx: none beyond
    /// the rate; Envoy: what the bucket is set to).
    /// </summary>
    public int Burst { get; init; }

    /// <summary>How a rate is counted. Default <see cref="LimitAlgorithm.TokenBucket"/>.</summary>
    public LimitAlgorithm Algorithm { get; init; }

    /// <summary>Most requests at a time for each key (nginx limit_conn). 0 (default) where <see cref="Rate"/> is given.</summary>
    public int Concurrency { get; init; }

    /// <summary>
    /// What is counted by itself, all parts together: "ip" (IPv6 by /64, what a subscriber has), "ip/24", "ip/24,48" (prefixes of IPv4 and IPv6), "header:NAME",
    /// "cookie:NAME", "path", "host", "method", "route". Empty (default): one count for everybody.
    /// </summary>
    public IReadOnlyList<string> Key { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>
    /// Whether requests without a header or cookie of <see cref="Key"/> are not limited (nginx, Envoy, HAProxy). Default false: they share one count, so that
    /// leaving it out gains nothing.
    /// </summary>
    public bool SkipIfMissing { get; init; }

    /// <summary>Keys that are counted at a time, rounded up to a power of two, 16 bytes each; beyond, what counts least is forgotten. Default 65,536.</summary>
    public int KeysMax { get; init; } = 65_536;

    /// <summary>Whether it only says what it would refuse: in the record and on the meter. Default false.</summary>
    public bool DryRun { get; init; }

    /// <summary>Status of a refusal, 400 to 599. Default 429 (RFC 6585 §4).</summary>
    public int Status { get; init; } = 429;

    /// <summary>Whether answers carry RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers). Default true.</summary>
    public bool Headers { get; init; } = true;

    /// <summary>
    /// Whether all balancers with the same <see cref="ProxyConfig.Redis"/> count together what a key uses of the limit of this name; for rates by <see cref="LimitAlgorithm.TokenBucket"/>.
    /// Default false.
    /// </summary>
    public bool Shared { get; init; }

    internal int BurstOrDefault => Burst > 0 ? Burst : Rate is not null && RateText.TryParse(Rate, out RateText rate) ? rate.DefaultBurst : 0;
}

/// <summary>Ways to count a rate.</summary>
public enum LimitAlgorithm
{
    /// <summary>A bucket that fills evenly and holds a burst (GCRA).</summary>
    TokenBucket,
    /// <summary>At most the quota in any window of the period, without more at once.</summary>
    SlidingWindow,
}
