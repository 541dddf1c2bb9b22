namespace LoadBalancer.Core.Configuration;

/// <summary>A named group of destinations that can answer the same requests.</summary>
public sealed record ClusterConfig
{
    /// <summary>Destinations by name. In the file a plain string stands for one with that address.</summary>
    public IReadOnlyDictionary<string, DestinationConfig> Destinations { get; init => field = ConfigMap<DestinationConfig>.Of(value); } = ConfigMap<DestinationConfig>.Empty;

    /// <summary>Where further destinations come from while running: DNS, files. Empty (default): only <see cref="Destinations"/>.</summary>
    public IReadOnlyList<DiscoverConfig> Discover { get; init => field = ConfigList<DiscoverConfig>.Of(value); } = [];

    /// <summary>
    /// Balancing policy: "latency-weighted" (default), "round-robin", "random", "least-outstanding", "power-of-two", "peak-ewma", "least-time",
    /// "consistent-hash", "rendezvous", "first" or "prequal". See <see cref="Balancing.BalancingPolicies"/>.
    /// </summary>
    public string Balance { get; init; } = "latency-weighted";

    /// <summary>
    /// What "consistent-hash" and "rendezvous" hash: "ip", "path", "header:NAME", "cookie:NAME" or "query:NAME". Requests without such a part are
    /// spread. Null (default) where the policy does not hash.
    /// </summary>
    public string? HashOn { get; init; }

    /// <summary>Sticky sessions: a cookie leads clients back to the destination that answered them. Null (default) for none.</summary>
    public StickyConfig? Sticky { get; init; }

    /// <summary>Host field sent to destinations: "client" (default, the client's own), "destination" (its address), or a fixed value.</summary>
    public string Host { get; init; } = "client";

    /// <summary>Time to connect, a TLS hand-shake included. Default 2 s (nginx: 60 s; a destination on the same network answers in milliseconds).</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>From the whole request sent to the whole response head read; then 504. Default 30 s.</summary>
    public TimeSpan ResponseHeadTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Longest wait for the destination to send more of a response, or to take more of a request. Default 60 s (nginx).</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Longest silence, both ways, of an upgraded connection (WebSocket). Default 1 h.</summary>
    public TimeSpan TunnelIdleTimeout { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Largest response head in bytes; larger ones are answered with 502. Default 64 KiB, which is also the most.</summary>
    public int ResponseHeadBytesMax { get; init; } = 64 * 1024;

    /// <summary>Most header fields in a response. Default 200.</summary>
    public int ResponseHeaderCountMax { get; init; } = 200;

    /// <summary>Further attempts after a failed one, each only where repeating is safe. Default 2; 0 for none.</summary>
    public int RetriesMax { get; init; } = 2;

    /// <summary>How far failed attempts are repeated in all.</summary>
    public RetryBudgetConfig RetryBudget { get; init; } = new();

    /// <summary>Sending a request to a second destination while the first is silent. Null (default) for never.</summary>
    public HedgeConfig? Hedge { get; init; }

    /// <summary>
    /// The PROXY header that tells destinations the client's address, first on each connection. Connections are then kept for one client each, until it leaves.
    /// Default <see cref="ProxyProtocolVersion.Off"/>.
    /// </summary>
    public ProxyProtocolVersion ProxyProtocol { get; init; }

    /// <summary>
    /// TLS to all destinations of the cluster. Null (default): to those alone whose address begins with https://, by <see cref="UpstreamTlsConfig"/>'s defaults.
    /// </summary>
    public UpstreamTlsConfig? Tls { get; init; }

    /// <summary>Kept connections.</summary>
    public ConnectionPoolConfig Pool { get; init; } = new();

    /// <summary>Probes of the destinations. Null (default) for none.</summary>
    public HealthCheckConfig? HealthCheck { get; init; }

    /// <summary>How destinations are asked for their load: for "prequal", which needs it. Null (default) for not at all.</summary>
    public LoadProbeConfig? Probe { get; init; }

    /// <summary>Taking out destinations that fail requests.</summary>
    public EjectionConfig Ejection { get; init; } = new();

    /// <summary>
    /// Time over which a destination that comes back gets its full share, beginning with a tenth. Default 30 s, in which caches fill and pools grow (nginx
    /// and Envoy: none); zero for none. Not at the start of the balancer, when all are new (HAProxy), and not in clusters of two or one.
    /// </summary>
    public TimeSpan SlowStart { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// With a smaller part, in percent, of a tier's destinations usable than this, and no other tier to carry the load, all of them are used: the checks are
    /// more likely wrong than nearly everything broken. Default 50 (Envoy's healthy panic threshold). With none usable all are used in any case.
    /// </summary>
    public int PanicThresholdPercent { get; init; } = 50;

    /// <summary>Requests that wait while every destination is at its limit.</summary>
    public QueueConfig Queue { get; init; } = new();

    /// <summary>Most requests under way in the whole cluster, found by their latency; those beyond get 503, of a low priority first. Null (default): no limit.</summary>
    public ConcurrencyConfig? Concurrency { get; init; }

    /// <summary>Whether servers may register themselves as destinations, through the admin listener. Default false: who registers gets clients' requests.</summary>
    public bool Registration { get; init; }
}

/// <summary>One server address.</summary>
public sealed record DestinationConfig
{
    /// <summary>
    /// "host:port" (an IP address or a name that is looked up while running), "[::1]:port", "unix:/path"; or "https://host", "https://host:port" for TLS.
    /// </summary>
    public required string Address { get; init; }

    /// <summary>Share of the traffic relative to the others, 1 to 1000. Default 1.</summary>
    public int Weight { get; init; } = 1;

    /// <summary>
    /// Most requests at once, over all loops; with every destination at its limit requests wait (<see cref="ClusterConfig.Queue"/>) or get 503. 0 (default) for
    /// no limit (nginx max_conns, HAProxy; Envoy: 1024 for a cluster).
    /// </summary>
    public int RequestsMax { get; init; }

    /// <summary>
    /// Priority: tier 0 (default) is used first, the next as far as those before cannot carry the load, with 40 % more than its share trusted to each destination
    /// (Envoy's priority levels). With one tier more, its destinations are what others call backups.
    /// </summary>
    public int Tier { get; init; }

    /// <summary>Where it is. Those in the balancer's own <see cref="ProxyConfig.Zone"/> are preferred within their tier. Null (default) or empty: not known.</summary>
    public string? Zone { get; init; }
}

/// <summary>Bounds of the connections kept to each destination.</summary>
public sealed record ConnectionPoolConfig
{
    /// <summary>Most idle connections kept to each destination, over all loops. Default 128.</summary>
    public int IdleConnectionsMax { get; init; } = 128;

    /// <summary>How long one may idle. Default 60 s.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long one may live, jittered by 20 %, so that changes of DNS and fleet spread; zero for no limit. Default 5 min.</summary>
    public TimeSpan LifeMax { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Most open connections to each destination, over all loops; requests beyond get 503. 0 (default) for no limit.</summary>
    public int ConnectionsMax { get; init; }
}
