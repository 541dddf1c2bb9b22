using LoadBalancer.Limiting.Concurrency;

namespace LoadBalancer.Core.Configuration;

/// <summary>A match rule and what to do with the requests it matches. Exactly one of cluster, split, redirect and respond is set.</summary>
public sealed record RouteConfig
{
    /// <summary>Listeners the route applies to. Empty (default): all.</summary>
    public IReadOnlyList<string> Listeners { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>Hosts: "example.com" (any port), "example.com:8443", "*.example.com" (one or more labels). Empty (default): any.</summary>
    public IReadOnlyList<string> Hosts { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>
    /// "/exact", "/users/{id}" (one segment each), "/files/**" (that path and everything below it). Default "/**".
    /// Exact beats template beats prefix, and the longer prefix the shorter one.
    /// </summary>
    public string Path { get; init; } = "/**";

    /// <summary>Methods, case-sensitive. Empty (default): any.</summary>
    public IReadOnlyList<string> Methods { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>Header fields that must match, by name. A value of "*" asks for presence only; any other for that exact value.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init => field = ConfigMap<string>.Of(value); } = ConfigMap<string>.Empty;

    /// <summary>Cookies that must be there, by name, for example { "canary": "1" }. A value of "*" asks for presence only; any other for that exact value.</summary>
    public IReadOnlyDictionary<string, string> Cookies { get; init => field = ConfigMap<string>.Of(value); } = ConfigMap<string>.Empty;

    /// <summary>Cluster to forward to.</summary>
    public string? Cluster { get; init; }

    /// <summary>
    /// Clusters to forward to by chance, with their shares: { "stable": 95, "canary": 5 }. A share of 0 gets nothing. For a split by header or
    /// cookie give a route of its own to requests with it. Empty (default) where the route does something else.
    /// </summary>
    public IReadOnlyDictionary<string, int> Split { get; init => field = ConfigMap<int>.Of(value); } = ConfigMap<int>.Empty;

    /// <summary>Copies of the requests to a shadow cluster, for routes that forward. Null (default) for none.</summary>
    public MirrorConfig? Mirror { get; init; }

    /// <summary>Answers from a cache, for routes that forward. Null (default) for none.</summary>
    public RouteCacheConfig? Cache { get; init; }

    /// <summary>Answer with a redirect.</summary>
    public RedirectConfig? Redirect { get; init; }

    /// <summary>Answer directly.</summary>
    public RespondConfig? Respond { get; init; }

    /// <summary>Whole-request time limit, from the end of the request head; then 504, or a cut connection when the answer has begun. Zero (default) for none.</summary>
    public TimeSpan Deadline { get; init; }

    /// <summary>Largest request body in bytes, above the listener's limit. Null (default): the listener's.</summary>
    public long? RequestBodyBytesMax { get; init; }

    /// <summary>Longest request head in bytes, below the listener's limit; longer ones get 431. Null (default): the listener's.</summary>
    public long? RequestHeadBytesMax { get; init; }

    /// <summary>Most header fields of a request, below the listener's limit; more get 431. 0 (default): the listener's.</summary>
    public int RequestHeaderCountMax { get; init; }

    /// <summary>Time for a whole request body, from the end of its head; then 408. Zero (default): only the listener's limits on its silence and rate.</summary>
    public TimeSpan RequestBodyTimeout { get; init; }

    /// <summary>Who is turned away first where a cluster has a <see cref="ClusterConfig.Concurrency"/>. Default <see cref="LoadPriority.Normal"/>.</summary>
    public LoadPriority Priority { get; init; } = LoadPriority.Normal;

    /// <summary>
    /// Limits that hold for the route, by their names in <see cref="ProxyConfig.Limits"/>, with what a request costs there (a place at a time costs 1). All must let
    /// it through; they are asked in this order, and the first that refuses answers. Empty (default): none.
    /// </summary>
    public IReadOnlyDictionary<string, int> Limits { get; init => field = ConfigMap<int>.Of(value); } = ConfigMap<int>.Empty;

    /// <summary>Policies that see the requests, by their names in <see cref="ProxyConfig.Policies"/>, in this order; and the answers, in the reverse one. Empty (default): none.</summary>
    public IReadOnlyList<string> Policies { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>Whether requests stand in the access log. Default true; false is for those that say nothing, as health checks of a load balancer before this one do.</summary>
    public bool Log { get; init; } = true;

    /// <summary>What of the bodies stands in the access log. Null (default): nothing.</summary>
    public BodyLogConfig? LogBody { get; init; }

    /// <summary>Time that the policies have for a request, and again for its answer, without the time in which a body is received; then 504. Default 10 s.</summary>
    public TimeSpan PolicyTimeout { get; init; } = TimeSpan.FromSeconds(10);
}

/// <summary>A redirect answer.</summary>
public sealed record RedirectConfig
{
    /// <summary>Location. "{host}", "{path}" (the normalised path) and "{query}" (with its "?", or empty) are replaced.</summary>
    public required string To { get; init; }

    /// <summary>301, 302, 303, 307 or 308. Default 308, which keeps method and body.</summary>
    public int Status { get; init; } = 308;
}

/// <summary>A fixed answer.</summary>
public sealed record RespondConfig
{
    /// <summary>200 to 599. Default 200.</summary>
    public int Status { get; init; } = 200;

    /// <summary>Content, sent as UTF-8. Default empty.</summary>
    public string Body { get; init; } = "";

    /// <summary>Default "text/plain; charset=utf-8".</summary>
    public string ContentType { get; init; } = "text/plain; charset=utf-8";

    /// <summary>Further header fields.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init => field = ConfigMap<string>.Of(value); } = ConfigMap<string>.Empty;
}
