using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Forwarding;
using LoadBalancer.Hosting.Configuration.Specs;

namespace LoadBalancer.Hosting.Configuration;

/// <summary>Descriptors of <see cref="ClusterConfig"/> and its parts.</summary>
internal static class ClusterSpecs
{
    internal static readonly ObjectSpec<DestinationConfig> Destination = new(
        "destination", "One server address. A plain string is its \"address\".", () => new DestinationConfig { Address = "" },
        new FieldSpec<DestinationConfig, string>("address",
            "\"host:port\" (an IP address or a name that is looked up while running), \"[::1]:port\" or \"unix:/path\"; \"https://host\" or \"https://host:port\" for TLS.",
            new TextSpec(pattern: "^(unix:/.+|https://[^/]+/?|[^/]+:[0-9]{1,5})$", examples: ["10.0.0.1:8080", "api.internal:8080", "https://api.example.com"]),
            c => c.Address, (c, v) => c with { Address = v }) { IsRequired = true, OtherNames = ["url", "server", "host"] },
        new FieldSpec<DestinationConfig, int>("weight", "Share of the traffic relative to the others.",
            new CountSpec(ConfigRanges.Weight), c => c.Weight, (c, v) => c with { Weight = v }),
        new FieldSpec<DestinationConfig, int>("requestsMax", "Most requests at once, over all loops. 0 for no limit.",
            new CountSpec(ConfigRanges.RequestsMax), c => c.RequestsMax, (c, v) => c with { RequestsMax = v }) { OtherNames = ["maxconn", "maxConns", "maxRequests"] },
        new FieldSpec<DestinationConfig, int>("tier", "Priority: tier 0 is used first, the next as far as those before cannot carry the load.",
            new CountSpec(ConfigRanges.Tier), c => c.Tier, (c, v) => c with { Tier = v }) { OtherNames = ["priority", "backup"] },
        new FieldSpec<DestinationConfig, string?>("zone", "Where it is: those in the balancer's own \"zone\" are preferred within their tier.",
            new TextSpec(examples: ["eu-1a"])!, c => c.Zone, (c, v) => c with { Zone = v }) { OtherNames = ["locality", "availabilityZone"] })
    {
        FromText = text => new DestinationConfig { Address = text },
    };

    internal static readonly ObjectSpec<ConnectionPoolConfig> Pool = new(
        "connectionPool", "Bounds of the connections kept to each destination.", () => new ConnectionPoolConfig(),
        new FieldSpec<ConnectionPoolConfig, int>("idleConnectionsMax", "Most idle connections kept to each destination, over all loops.",
            new CountSpec(ConfigRanges.IdleConnectionsMax), c => c.IdleConnectionsMax, (c, v) => c with { IdleConnectionsMax = v }),
        new FieldSpec<ConnectionPoolConfig, TimeSpan>("idleTimeout", "How long one may idle.",
            new DurationSpec(ConfigRanges.PoolIdleTimeout), c => c.IdleTimeout, (c, v) => c with { IdleTimeout = v }),
        new FieldSpec<ConnectionPoolConfig, TimeSpan>("lifeMax",
            "How long one may live, jittered by 20 %, so that changes of DNS and fleet spread; 0 for no limit.",
            new DurationSpec(ConfigRanges.PoolLifeMax), c => c.LifeMax, (c, v) => c with { LifeMax = v }),
        new FieldSpec<ConnectionPoolConfig, int>("connectionsMax",
            "Most open connections to each destination, over all loops; requests beyond get 503. 0 for no limit.",
            new CountSpec(ConfigRanges.PoolConnectionsMax), c => c.ConnectionsMax, (c, v) => c with { ConnectionsMax = v }));

    internal static readonly ObjectSpec<ClusterConfig> Cluster = new(
        "cluster", "A named group of destinations that can answer the same requests.", () => new ClusterConfig(),
        new FieldSpec<ClusterConfig, IReadOnlyDictionary<string, DestinationConfig>>("destinations",
            "Destinations by name; a plain string stands for one with that address.",
            new MapSpec<DestinationConfig>(Destination, Destination.Empty), c => c.Destinations, (c, v) => c with { Destinations = v }) { IsRequired = true, RequiredUnless = "discover", OtherNames = ["servers", "members", "endpoints", "targets"] },
        new FieldSpec<ClusterConfig, IReadOnlyList<DiscoverConfig>>("discover",
            "Where further destinations come from while running: DNS, files, etcd, Kubernetes. A plain string is a \"dns\" name with its port.",
            new ObjectListSpec<DiscoverConfig>(DiscoverSpecs.Discover), c => c.Discover, (c, v) => c with { Discover = v }) { OtherNames = ["discovery", "serviceDiscovery", "resolve", "dns", "srv"] },
        new FieldSpec<ClusterConfig, string>("balance", "Balancing policy.",
            new TextSpec(choices: ConfigRanges.BalancePolicies), c => c.Balance, (c, v) => c with { Balance = v }) { OtherNames = ["policy", "algorithm", "loadBalancingPolicy"] },
        new FieldSpec<ClusterConfig, string>("hashOn",
            "What consistent-hash and rendezvous hash: \"ip\", \"path\", \"header:NAME\", \"cookie:NAME\" or \"query:NAME\".",
            new TextSpec(pattern: "^(ip|path|(header|cookie|query):.+)$", examples: HashSource.Examples), c => c.HashOn!, (c, v) => c with { HashOn = v }) { OtherNames = ["hash", "hashKey"] },
        new FieldSpec<ClusterConfig, StickyConfig?>("sticky", "Sticky sessions; a plain string is the name of the cookie. Left out: none.",
            StickySpecs.Sticky!, c => c.Sticky, (c, v) => c with { Sticky = v }) { OtherNames = ["affinity", "sessionAffinity", "stickySessions"] },
        new FieldSpec<ClusterConfig, string>("host",
            "Host field sent to destinations: \"client\" (the client's own), \"destination\" (its address), or a fixed value.",
            new TextSpec(examples: ["client", "destination", "api.example.com"]), c => c.Host, (c, v) => c with { Host = v }),
        new FieldSpec<ClusterConfig, TimeSpan>("connectTimeout", "Time to connect, a TLS hand-shake included.",
            new DurationSpec(ConfigRanges.ConnectTimeout), c => c.ConnectTimeout, (c, v) => c with { ConnectTimeout = v }),
        new FieldSpec<ClusterConfig, TimeSpan>("responseHeadTimeout", "From the whole request sent to the whole response head read; then 504.",
            new DurationSpec(ConfigRanges.ResponseHeadTimeout), c => c.ResponseHeadTimeout, (c, v) => c with { ResponseHeadTimeout = v }) { OtherNames = ["timeout", "readTimeout"] },
        new FieldSpec<ClusterConfig, TimeSpan>("idleTimeout", "Longest wait for the destination to send more of a response, or to take more of a request.",
            new DurationSpec(ConfigRanges.ClusterIdleTimeout), c => c.IdleTimeout, (c, v) => c with { IdleTimeout = v }),
        new FieldSpec<ClusterConfig, TimeSpan>("tunnelIdleTimeout", "Longest silence, both ways, of an upgraded connection (WebSocket).",
            new DurationSpec(ConfigRanges.TunnelIdleTimeout), c => c.TunnelIdleTimeout, (c, v) => c with { TunnelIdleTimeout = v }),
        new FieldSpec<ClusterConfig, int>("responseHeadBytesMax", "Largest response head; larger ones are answered with 502.",
            new SmallSizeSpec(ConfigRanges.ResponseHeadBytesMax), c => c.ResponseHeadBytesMax, (c, v) => c with { ResponseHeadBytesMax = v }),
        new FieldSpec<ClusterConfig, int>("responseHeaderCountMax", "Most header fields in a response.",
            new CountSpec(ConfigRanges.ResponseHeaderCountMax), c => c.ResponseHeaderCountMax, (c, v) => c with { ResponseHeaderCountMax = v }),
        new FieldSpec<ClusterConfig, int>("retriesMax", "Further attempts after a failed one, each only where repeating is safe. 0 for none.",
            new CountSpec(ConfigRanges.RetriesMax), c => c.RetriesMax, (c, v) => c with { RetriesMax = v }) { OtherNames = ["retries"] },
        new FieldSpec<ClusterConfig, RetryBudgetConfig>("retryBudget", "How far failed attempts are repeated in all.",
            FleetSpecs.RetryBudget, c => c.RetryBudget, (c, v) => c with { RetryBudget = v }),
        new FieldSpec<ClusterConfig, HedgeConfig?>("hedge", "Sending a request to a second destination while the first is silent; a plain string is its \"after\". Left out: never.",
            FleetSpecs.Hedge!, c => c.Hedge, (c, v) => c with { Hedge = v }) { OtherNames = ["hedging", "hedgePolicy"] },
        new FieldSpec<ClusterConfig, ProxyProtocolVersion>("proxyProtocol",
            "PROXY header that tells destinations the client's address, first on each connection: \"off\", \"v1\" or \"v2\". Connections are then kept for one client each.",
            new ChoiceSpec<ProxyProtocolVersion>(("off", ProxyProtocolVersion.Off), ("v1", ProxyProtocolVersion.V1), ("v2", ProxyProtocolVersion.V2)),
            c => c.ProxyProtocol, (c, v) => c with { ProxyProtocol = v }) { OtherNames = ["sendProxy", "sendProxyProtocol"] },
        new FieldSpec<ClusterConfig, UpstreamTlsConfig?>("tls",
            "TLS to all destinations of the cluster; true for the defaults. Left out: to those alone whose address begins with https://, by the defaults.",
            TlsSpecs.Upstream!, c => c.Tls, (c, v) => c with { Tls = v }) { OtherNames = ["ssl", "https", "upstreamTls"] },
        new FieldSpec<ClusterConfig, ConnectionPoolConfig>("pool", "Kept connections.",
            Pool, c => c.Pool, (c, v) => c with { Pool = v }),
        new FieldSpec<ClusterConfig, HealthCheckConfig?>("healthCheck", "Probes of the destinations; a plain string is the \"path\" of an HTTP check. Left out: none.",
            FleetSpecs.HealthCheck!, c => c.HealthCheck, (c, v) => c with { HealthCheck = v }) { OtherNames = ["health", "check", "healthChecks"] },
        new FieldSpec<ClusterConfig, LoadProbeConfig?>("probe", "How destinations are asked for their load, for \"prequal\"; a plain string is the \"path\". Left out: not at all.",
            FleetSpecs.LoadProbe!, c => c.Probe, (c, v) => c with { Probe = v }) { OtherNames = ["loadProbe", "probes"] },
        new FieldSpec<ClusterConfig, EjectionConfig>("ejection", "Taking out destinations that fail requests.",
            FleetSpecs.Ejection, c => c.Ejection, (c, v) => c with { Ejection = v }) { OtherNames = ["outlierDetection", "passiveHealthCheck"] },
        new FieldSpec<ClusterConfig, TimeSpan>("slowStart", "Time over which a destination that comes back gets its full share, in clusters of more than two. 0 for none.",
            new DurationSpec(ConfigRanges.SlowStart), c => c.SlowStart, (c, v) => c with { SlowStart = v }),
        new FieldSpec<ClusterConfig, int>("panicThresholdPercent",
            "With a smaller part, in percent, of a tier usable than this, and no other tier to carry the load, all its destinations are used.",
            new CountSpec(ConfigRanges.Percent), c => c.PanicThresholdPercent, (c, v) => c with { PanicThresholdPercent = v }) { OtherNames = ["panicThreshold"] },
        new FieldSpec<ClusterConfig, QueueConfig>("queue", "Requests that wait while every destination is at its limit.",
            FleetSpecs.Queue, c => c.Queue, (c, v) => c with { Queue = v }),
        new FieldSpec<ClusterConfig, ConcurrencyConfig?>("concurrency", "Most requests under way in the whole cluster, found by their latency; those beyond get 503, of a low \"priority\" first. true: with its defaults.",
            LimitSpecs.Concurrency!, c => c.Concurrency, (c, v) => c with { Concurrency = v }) { OtherNames = ["adaptiveConcurrency", "circuitBreakers", "maxRequests"] },
        new FieldSpec<ClusterConfig, bool>("registration",
            "Whether servers may register themselves as destinations, through the admin listener.",
            new FlagSpec(), c => c.Registration, (c, v) => c with { Registration = v }) { OtherNames = ["selfRegistration", "register"] });
}
