using LoadBalancer.Core.Policies;

namespace LoadBalancer.Core.Configuration;

/// <summary>Everything the user wrote. Immutable; validated as a whole before any of it is used.</summary>
public sealed record ProxyConfig
{
    /// <summary>Addresses to serve, by name.</summary>
    public IReadOnlyDictionary<string, ListenerConfig> Listeners { get; init => field = ConfigMap<ListenerConfig>.Of(value); } = ConfigMap<ListenerConfig>.Empty;

    /// <summary>Which request goes where, by name. The most specific match wins, not the order.</summary>
    public IReadOnlyDictionary<string, RouteConfig> Routes { get; init => field = ConfigMap<RouteConfig>.Of(value); } = ConfigMap<RouteConfig>.Empty;

    /// <summary>Groups of destinations, by name.</summary>
    public IReadOnlyDictionary<string, ClusterConfig> Clusters { get; init => field = ConfigMap<ClusterConfig>.Of(value); } = ConfigMap<ClusterConfig>.Empty;

    /// <summary>Stores of responses that routes use by <see cref="RouteConfig.Cache"/>, by name.</summary>
    public IReadOnlyDictionary<string, CacheConfig> Caches { get; init => field = ConfigMap<CacheConfig>.Of(value); } = ConfigMap<CacheConfig>.Empty;

    /// <summary>Lists of addresses that listeners allow or block, by name.</summary>
    public IReadOnlyDictionary<string, AddressListConfig> AddressLists { get; init => field = ConfigMap<AddressListConfig>.Of(value); } = ConfigMap<AddressListConfig>.Empty;

    /// <summary>Requests that are refused, by name; of several that match, the first.</summary>
    public IReadOnlyDictionary<string, BlockRuleConfig> BlockRules { get; init => field = ConfigMap<BlockRuleConfig>.Of(value); } = ConfigMap<BlockRuleConfig>.Empty;

    /// <summary>Most bans at a time. Default 100,000, about 20 MB.</summary>
    public int BansMax { get; init; } = 100_000;

    /// <summary>Bans who is refused too often. Null (default): nobody.</summary>
    public AutoBanConfig? AutoBan { get; init; }

    /// <summary>What routes do with requests beside forwarding them, by name: <see cref="RouteConfig.Policies"/> says which hold for a route.</summary>
    public IReadOnlyDictionary<string, PolicyConfig> Policies { get; init => field = ConfigMap<PolicyConfig>.Of(value); } = ConfigMap<PolicyConfig>.Empty;

    /// <summary>Memory for the bodies that policies read, all of them together, in bytes; beyond, requests get 503. Default 256 MiB.</summary>
    public long PolicyBodyBytesMax { get; init; } = 256L << 20;

    /// <summary>How much clients may use, by name; routes say which hold for them.</summary>
    public IReadOnlyDictionary<string, LimitConfig> Limits { get; init => field = ConfigMap<LimitConfig>.Of(value); } = ConfigMap<LimitConfig>.Empty;

    /// <summary>By which limits that are <see cref="LimitConfig.Shared"/> are shared with other balancers. Null (default): none is.</summary>
    public RedisConfig? Redis { get; init; }

    /// <summary>What is written of each request. Null (default): nothing.</summary>
    public AccessLogConfig? AccessLog { get; init; }

    /// <summary>The field that carries a request's id on and back. Null (default): ids stand in the log only, and fields of clients pass as they are.</summary>
    public RequestIdConfig? RequestId { get; init; }

    /// <summary>Completion records that are kept for each cluster, to be looked at while the balancer runs; spread over the loops, at least eight on each. 0 for none. Default 256.</summary>
    public int RecentRequests { get; init; } = 256;

    /// <summary>Where traces are sent. Null (default): nowhere; what clients send of their traces passes as it is.</summary>
    public TracingConfig? Tracing { get; init; }

    /// <summary>
    /// Where this balancer is, such as a data centre: destinations with the same <see cref="DestinationConfig.Zone"/> are preferred, as far as they can
    /// carry it (<see cref="Balancing.SchedulerOptions.Zone"/>). Null (default) or empty: zones do not matter.
    /// </summary>
    public string? Zone { get; init; }

    /// <summary>Loops and sockets.</summary>
    public TransportConfig Transport { get; init; } = new();

    /// <summary>On stop: how long requests in flight may go on before they are cut. Default 30 s.</summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Where the certificates of <see cref="TlsConfig.Acme"/> come from. Null (default): nobody is asked for any.</summary>
    public AcmeConfig? Acme { get; init; }

    /// <summary>The admin listener. Null (default): none in a program that embeds the balancer; <c>lb run</c> takes <see cref="AdminConfig"/>'s defaults.</summary>
    public AdminConfig? Admin { get; init; }
}

/// <summary>Which transport carries the bytes, and over how many loops.</summary>
public sealed record TransportConfig
{
    /// <summary>Default <see cref="TransportKind.Auto"/>.</summary>
    public TransportKind Kind { get; init; }

    /// <summary>Event loops, each a thread with its own connections. 0 (default): one for each processor.</summary>
    public int Loops { get; init; }
}

/// <summary>The transports there are.</summary>
public enum TransportKind
{
    /// <summary><see cref="Epoll"/> on Linux, else <see cref="Sockets"/>.</summary>
    Auto,
    /// <summary>Our own event loops on Linux epoll.</summary>
    Epoll,
    /// <summary>System.Net.Sockets, on every platform .NET runs on.</summary>
    Sockets,
}
