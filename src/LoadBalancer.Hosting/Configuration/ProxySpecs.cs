using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Policies;
using LoadBalancer.Hosting.Configuration.Specs;

namespace LoadBalancer.Hosting.Configuration;

/// <summary>The root of the descriptor tree, and what hangs on it directly.</summary>
internal static class ProxySpecs
{
    internal static readonly ObjectSpec<TransportConfig> Transport = new(
        "transport", "Which transport carries the bytes, and over how many loops.", () => new TransportConfig(),
        new FieldSpec<TransportConfig, TransportKind>("kind",
            "\"epoll\": our own event loops on Linux; \"sockets\": System.Net.Sockets, on every platform; \"auto\": epoll on Linux, else sockets.",
            new ChoiceSpec<TransportKind>(("auto", TransportKind.Auto), ("epoll", TransportKind.Epoll), ("sockets", TransportKind.Sockets)),
            c => c.Kind, (c, v) => c with { Kind = v }),
        new FieldSpec<TransportConfig, int>("loops",
            "Event loops, each a thread with its own connections. 0: one for each processor.",
            new CountSpec(ConfigRanges.Loops), c => c.Loops, (c, v) => c with { Loops = v }) { OtherNames = ["threads", "workers"] });

    internal static readonly ObjectSpec<AdminConfig> Admin = new(
        "admin", "Where the admin listener is reached, and by whom. A plain string is its \"address\".", () => new AdminConfig(),
        new FieldSpec<AdminConfig, string?>("address",
            "\"unix:/path\" (for its owner only), \"127.0.0.1:port\" (needs a \"token\"), or \"off\". Left out: $XDG_RUNTIME_DIR/lb/admin.sock, or /run/lb/admin.sock for root, where it can be made.",
            new TextSpec(pattern: "^(off|unix:/.+|[^/]*:[0-9]{1,5})$", examples: ["unix:/run/lb/admin.sock", "127.0.0.1:9900", "off"])!, c => c.Address, (c, v) => c with { Address = v }) { OtherNames = ["listen", "bind", "socket"] },
        new FieldSpec<AdminConfig, string?>("token",
            "Secret that every request must carry, as \"Authorization: Bearer\"; 16 characters or more. Needed for TCP. Keep it out of the file: \"${LB_ADMIN_TOKEN}\" or \"@file:/path\".",
            new TextSpec()!, c => c.Token, (c, v) => c with { Token = v }) { Secrecy = Secrecy.All, OtherNames = ["secret", "password", "key"] })
    {
        FromText = text => new AdminConfig { Address = text },
    };

    internal static readonly ObjectSpec<ProxyConfig> Root = new(
        "proxy", "Listeners accept requests, routes match them, clusters of destinations answer them.", () => new ProxyConfig(),
        new FieldSpec<ProxyConfig, IReadOnlyDictionary<string, ListenerConfig>>("listeners",
            "Addresses to serve, by name.",
            new MapSpec<ListenerConfig>(ListenerSpecs.Listener, ListenerSpecs.Listener.Empty),
            c => c.Listeners, (c, v) => c with { Listeners = v }) { OtherNames = ["frontends", "entryPoints", "bind", "listen"] },
        new FieldSpec<ProxyConfig, IReadOnlyDictionary<string, RouteConfig>>("routes",
            "Which request goes where, by name. The most specific match wins, not the order.",
            new MapSpec<RouteConfig>(RouteSpecs.Route, RouteSpecs.Route.Empty),
            c => c.Routes, (c, v) => c with { Routes = v }) { OtherNames = ["rules", "routers", "locations"] },
        new FieldSpec<ProxyConfig, IReadOnlyDictionary<string, ClusterConfig>>("clusters",
            "Groups of destinations that can answer the same requests, by name.",
            new MapSpec<ClusterConfig>(ClusterSpecs.Cluster, ClusterSpecs.Cluster.Empty),
            c => c.Clusters, (c, v) => c with { Clusters = v }) { OtherNames = ["pools", "backends", "upstreams", "services"] },
        new FieldSpec<ProxyConfig, IReadOnlyDictionary<string, CacheConfig>>("caches",
            "Stores of responses that routes use by \"cache\", by name.",
            new MapSpec<CacheConfig>(CacheSpecs.Cache, CacheSpecs.Cache.Empty), c => c.Caches, (c, v) => c with { Caches = v }) { OtherNames = ["cacheZones", "proxyCachePath"] },
        new FieldSpec<ProxyConfig, IReadOnlyDictionary<string, AddressListConfig>>("addressLists",
            "Lists of addresses that listeners allow or block, by name.",
            new MapSpec<AddressListConfig>(AccessSpecs.AddressList, AccessSpecs.AddressList.Empty),
            c => c.AddressLists, (c, v) => c with { AddressLists = v }) { OtherNames = ["lists", "ipSets", "blocklists"] },
        new FieldSpec<ProxyConfig, IReadOnlyDictionary<string, BlockRuleConfig>>("blockRules",
            "Requests that are refused, by name; of several that match, the first.",
            new MapSpec<BlockRuleConfig>(AccessSpecs.BlockRule, AccessSpecs.BlockRule.Empty),
            c => c.BlockRules, (c, v) => c with { BlockRules = v }) { OtherNames = ["deny", "waf", "requestRules"] },
        new FieldSpec<ProxyConfig, int>("bansMax", "Most bans at a time.", new CountSpec(ConfigRanges.BansMax), c => c.BansMax, (c, v) => c with { BansMax = v }),
        new FieldSpec<ProxyConfig, AutoBanConfig?>("autoBan", "Bans who is refused too often. Left out: nobody.",
            AccessSpecs.AutoBan!, c => c.AutoBan, (c, v) => c with { AutoBan = v }) { OtherNames = ["fail2ban"] },
        new FieldSpec<ProxyConfig, IReadOnlyDictionary<string, PolicyConfig>>("policies",
            "What routes do with requests beside forwarding them, by name; routes say which hold for them, and in which order.",
            new MapSpec<PolicyConfig>(PolicySpecs.Policy, () => PolicySpecs.StandIn),
            c => c.Policies, (c, v) => c with { Policies = v }) { OtherNames = ["middlewares", "plugins", "filters", "httpFilters"] },
        new FieldSpec<ProxyConfig, long>("policyBodyBytesMax", "Memory for the bodies that policies read, all of them together; beyond, requests get 503.",
            new SizeSpec(ConfigRanges.PolicyBodyBytesMax), c => c.PolicyBodyBytesMax, (c, v) => c with { PolicyBodyBytesMax = v }),
        new FieldSpec<ProxyConfig, IReadOnlyDictionary<string, LimitConfig>>("limits",
            "How much clients may use, by name; routes say which hold for them.",
            new MapSpec<LimitConfig>(LimitSpecs.Limit, LimitSpecs.Limit.Empty),
            c => c.Limits, (c, v) => c with { Limits = v }) { OtherNames = ["rateLimits", "rateLimiters", "limiters", "limitReqZone"] },
        new FieldSpec<ProxyConfig, RedisConfig?>("redis", "The Redis by which limits that are \"shared\" are shared with other balancers. Left out: none is.",
            RedisSpecs.Redis!, c => c.Redis, (c, v) => c with { Redis = v }),
        new FieldSpec<ProxyConfig, AccessLogConfig?>("accessLog", "What is written of each request, and where. Left out: nothing.",
            AccessLogSpecs.AccessLog!, c => c.AccessLog, (c, v) => c with { AccessLog = v }) { OtherNames = ["access_log", "log"] },
        new FieldSpec<ProxyConfig, RequestIdConfig?>("requestId", "The field that carries a request's id on and back; a plain string is its \"header\". Left out: ids stand in the log only.",
            ObservationSpecs.RequestId!, c => c.RequestId, (c, v) => c with { RequestId = v }) { OtherNames = ["uniqueId", "correlationId"] },
        new FieldSpec<ProxyConfig, int>("recentRequests", "Requests of each cluster that are kept to be looked at by \"lb trace\". 0 for none.",
            new CountSpec(ConfigRanges.RecentRequests), c => c.RecentRequests, (c, v) => c with { RecentRequests = v }) { OtherNames = ["recent", "debugRing"] },
        new FieldSpec<ProxyConfig, TracingConfig?>("tracing", "Where traces are sent; a plain string is its \"endpoint\". Left out: nowhere.",
            ObservationSpecs.Tracing!, c => c.Tracing, (c, v) => c with { Tracing = v }) { OtherNames = ["opentelemetry", "otlp", "traces"] },
        new FieldSpec<ProxyConfig, string?>("zone", "Where this balancer is: destinations with the same \"zone\" are preferred, as far as they can carry it.",
            new TextSpec(examples: ["${ZONE:-}", "eu-1a"])!, c => c.Zone, (c, v) => c with { Zone = v }) { OtherNames = ["locality", "availabilityZone"] },
        new FieldSpec<ProxyConfig, TransportConfig>("transport",
            "Loops and sockets.", Transport, c => c.Transport, (c, v) => c with { Transport = v }),
        new FieldSpec<ProxyConfig, TimeSpan>("drainTimeout",
            "On stop: how long requests in flight may go on before they are cut.",
            new DurationSpec(ConfigRanges.DrainTimeout), c => c.DrainTimeout, (c, v) => c with { DrainTimeout = v }) { OtherNames = ["shutdownTimeout", "gracePeriod"] },
        new FieldSpec<ProxyConfig, AcmeConfig?>("acme",
            "Certification authority of the certificates that listeners want by \"tls\": { \"acme\": [...] }. Left out: nobody is asked.",
            AcmeSpecs.Acme!, c => c.Acme, (c, v) => c with { Acme = v }) { OtherNames = ["letsencrypt", "certificatesResolvers", "autocert"] },
        new FieldSpec<ProxyConfig, AdminConfig?>("admin",
            "The admin listener; a plain string is its \"address\". Left out: a Unix socket at a well-known path.",
            Admin!, c => c.Admin, (c, v) => c with { Admin = v }) { OtherNames = ["api", "stats", "control"] });
}
