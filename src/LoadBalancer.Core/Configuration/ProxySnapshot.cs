using System.Net;
using System.Text;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Caching;
using LoadBalancer.Core.Forwarding;
using LoadBalancer.Core.Policies;
using LoadBalancer.Core.Protection;
using LoadBalancer.Core.Protection.Addresses;
using LoadBalancer.Core.Protection.Rules;
using LoadBalancer.Core.Protection.Limits;
using LoadBalancer.Core.ProxyProtocol;
using LoadBalancer.Core.Routing;
using LoadBalancer.Core.Tcp;
using LoadBalancer.Core.Tls;
using LoadBalancer.Core.Upstream;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Configuration;

/// <summary>The validated, immutable form of a <see cref="ProxyConfig"/> that requests read. Built once; nothing in it is parsed again.</summary>
internal sealed class ProxySnapshot
{
    internal required ProxyConfig Config { get; init; }
    internal required ListenerSnapshot[] Listeners { get; init; }
    internal required RouteSnapshot[] Routes { get; init; }
    internal required ClusterSnapshot[] Clusters { get; init; }
    internal required Limiter[] Limiters { get; init; }
    internal required CertificateStore Certificates { get; init; }
    internal required ResponseStore[] Stores { get; init; }
    internal required AddressListStore AddressLists { get; init; }
    internal required IRoutePolicy[] Policies { get; init; }

    internal static ProxySnapshot Build(ProxyConfig config, FleetServices services)
    {
        var certificates = new CertificateStore(TlsTermination.UsesOpenSsl(config.Transport.Kind), services.Time);
        var addressLists = new AddressListStore(config, services.Time);
        IReadOnlyList<ConfigProblem> problems = ConfigValidator.Validate(config, certificates, addressLists);
        if (problems.Count > 0) throw new ConfigException(problems);

        var clusters = new Dictionary<string, ClusterSnapshot>(StringComparer.Ordinal);
        foreach ((string name, ClusterConfig cluster) in config.Clusters)
            clusters.Add(name, new ClusterSnapshot(name, cluster, services));

        var limiters = new Dictionary<string, Limiter>(StringComparer.Ordinal);
        foreach ((string name, LimitConfig limit) in config.Limits)
            limiters.Add(name, new Limiter(name, limit, limit.Shared ? config.Redis!.Secret : null, services.Time, services.LoopCount));

        var stores = config.Caches.ToDictionary(cache => cache.Key, cache => new ResponseStore(cache.Key, cache.Value), StringComparer.Ordinal);
        uint ownFields = config.Listeners.Values.Any(listener => listener.Tls?.HttpsOnly is not null) ? HeadBuffer.Bit(KnownField.StrictTransportSecurity) : 0;
        var policies = config.Policies.ToDictionary(
            policy => policy.Key, policy => policy.Value.Create(new PolicyServices(policy.Key, config, services.Time, services.Logger, services.LoopCount)
            {
                FindAddressList = name => addressLists.Get([name])[0],
            }),
            StringComparer.Ordinal);
        var requestIds = new RequestIdRules(config.RequestId);
        var routes = new List<RouteSnapshot>();
        foreach ((string name, RouteConfig route) in config.Routes)
        {
            routes.Add(new RouteSnapshot(name, route, clusters, services.LoopCount)
            {
                Limits = RouteLimits.Of(route, limiters, services.Time, needsIdentity: false),
                IdentityLimits = RouteLimits.Of(route, limiters, services.Time, needsIdentity: true),
                Policies = route.Policies.Count == 0 ? null : new RoutePolicies([.. route.Policies.Select(policy => (policy, policies[policy]))]),
                Cache = route.Cache is { } cache ? new RouteCache(name, cache, cache.In is { } store ? stores[store] : stores.Values.Single(), ownFields | (route.Limits.Count == 0 ? 0 : HeadBuffer.Bit(KnownField.RateLimit))) { RequestIds = requestIds } : null,
            });
        }

        var listeners = new List<ListenerSnapshot>();
        foreach ((string name, ListenerConfig listener) in config.Listeners)
        {
            var rules = new List<RouteRule<RouteSnapshot>>();
            foreach (RouteSnapshot route in routes)
            {
                RouteConfig c = route.Config;
                if (listener.Tcp is null && (c.Listeners.Count == 0 || c.Listeners.Contains(name))) rules.Add(new(route.Name, c.Hosts, c.Path, c.Methods, c.Headers, route) { Cookies = c.Cookies });
            }
            var snapshot = new ListenerSnapshot(name, listener, RouteTable<RouteSnapshot>.Build(rules), certificates)
            {
                RequestIds = requestIds,
                Access = Access(listener),
                Rules = listener.Tcp is null ? BlockRules.Of(config, name, addressLists) : null,
                Sources = Sources(listener),
                Tcp = listener.Tcp is { } tcp ? new TcpSnapshot(tcp, clusters) : null,
                IsClientCertificateKnown = config.Listeners.Values.Any(one => one.Tls?.ClientCertificates is not null),
            };
            listeners.Add(snapshot);
            foreach ((string redirectName, ListenerConfig redirect) in RedirectListener.Of(name, listener))
                listeners.Add(new ListenerSnapshot(redirectName, redirect, RouteTable<RouteSnapshot>.Build([]), certificates) { RequestIds = requestIds, Access = Access(redirect), Sources = Sources(redirect), Rules = snapshot.Rules, RedirectsTo = snapshot });
        }
        for (int i = 0; i < listeners.Count; i++) listeners[i].Index = i;
        for (int i = 0; i < routes.Count; i++) routes[i].Index = i;
        return new ProxySnapshot
        {
            Config = config, Listeners = [.. listeners], Routes = [.. routes], Clusters = [.. clusters.Values], Certificates = certificates,
            AddressLists = addressLists, Limiters = [.. limiters.Values], Stores = [.. stores.Values], Policies = [.. policies.Values],
        };

        AccessRules? Access(ListenerConfig listener) => listener.Access is { } access ? new AccessRules(access, addressLists) : null;

        SourceLimits? Sources(ListenerConfig listener) => listener.PerSource is { } sources ? new SourceLimits(sources, listener.ConnectionsMax, services.Time) : null;
    }
}

/// <summary>A listener as its connections see it.</summary>
internal sealed class ListenerSnapshot
{
    internal ListenerSnapshot(string name, ListenerConfig config, RouteTable<RouteSnapshot> routes, CertificateStore certificates)
    {
        Name = name;
        Config = config;
        Routes = routes;
        EndPoint = AddressParser.TryParseListener(config.Address, out EndPoint? endPoint, out string? error) ? endPoint! : throw new FormatException(error);
        ListenerLimitsConfig limits = config.Limits;
        HeadLimits = new HeadLimits(limits.RequestLineBytesMax, limits.RequestHeadBytesMax, limits.RequestHeaderCountMax);
        KeepAliveMilliseconds = (long)limits.KeepAliveTimeout.TotalMilliseconds;
        HeadMilliseconds = (long)limits.RequestHeadTimeout.TotalMilliseconds;
        BodyIdleMilliseconds = (long)limits.RequestBodyIdleTimeout.TotalMilliseconds;
        ResponseGraceMilliseconds = (long)limits.ResponseRateGrace.TotalMilliseconds;
        WriteIdleMilliseconds = (long)limits.WriteIdleTimeout.TotalMilliseconds;
        Trusted = config.TrustedProxies.Count == 0 ? null : CidrSet.Parse(config.TrustedProxies);
        ProxyProtocol = config.ProxyProtocol is { } proxyProtocol ? new ProxyHeaderPolicy(proxyProtocol) : null;
        Tls = config.Tls is { } tls ? new TlsTermination(name, tls, certificates, isHttp: config.Tcp is null) : null;
        StrictTransportLine = config.Tls?.HttpsOnly is { } httpsOnly ? Encoding.ASCII.GetBytes(StrictTransport(httpsOnly)) : [];
        if (StrictTransportLine.Length > 0) OwnResponseFields = HeadBuffer.Bit(KnownField.StrictTransportSecurity);
        ViaLine = config.Forwarded.Via.Length == 0 ? [] : Encoding.ASCII.GetBytes($"Via: 1.1 {config.Forwarded.Via}\r\n");
        // RFC 9110 §7.6.3: the version is the one the message was received in.
        ViaLine10 = config.Forwarded.Via.Length == 0 ? [] : Encoding.ASCII.GetBytes($"Via: 1.0 {config.Forwarded.Via}\r\n");
    }

    internal string Name { get; }

    /// <summary>Its place in <see cref="ProxySnapshot.Listeners"/>.</summary>
    internal int Index { get; set; }
    internal ListenerConfig Config { get; }
    internal RouteTable<RouteSnapshot> Routes { get; }
    internal EndPoint EndPoint { get; }
    internal HeadLimits HeadLimits { get; }
    internal long KeepAliveMilliseconds { get; }
    internal long HeadMilliseconds { get; }
    internal long BodyIdleMilliseconds { get; }
    internal long WriteIdleMilliseconds { get; }
    internal long ResponseGraceMilliseconds { get; }
    internal CidrSet? Trusted { get; }

    /// <summary>Whose request ids are taken over, and where ids go.</summary>
    internal required RequestIdRules RequestIds { get; init; }

    /// <summary>Null where no client is kept out by its address, but for bans.</summary>
    internal AccessRules? Access { get; init; }

    /// <summary>Null where connections are not counted by source.</summary>
    internal SourceLimits? Sources { get; init; }

    /// <summary>Null where no request is refused by a rule.</summary>
    internal BlockRules? Rules { get; init; }

    /// <summary>Whether any listener of the server verifies clients: destinations cannot tell which one a request came through.</summary>
    internal bool IsClientCertificateKnown { get; init; }

    /// <summary>Null where connections begin without a PROXY header.</summary>
    internal ProxyHeaderPolicy? ProxyProtocol { get; }

    /// <summary>Null where no TLS is terminated.</summary>
    internal TlsTermination? Tls { get; }

    /// <summary>Null for HTTP.</summary>
    internal TcpSnapshot? Tcp { get; init; }
    internal byte[] ViaLine { get; }
    internal byte[] ViaLine10 { get; }

    /// <summary>Strict-Transport-Security as a line; empty for none, as always on plain HTTP (RFC 6797 §7.2).</summary>
    internal byte[] StrictTransportLine { get; }

    /// <summary>A bit for each <see cref="KnownField"/> of responses that is this listener's to say, and not a destination's.</summary>
    internal uint OwnResponseFields { get; }

    /// <summary>The listener by HTTPS to which every request is redirected; null where requests are served.</summary>
    internal ListenerSnapshot? RedirectsTo { get; init; }

    /// <summary>The port that is really bound; 0 before that, and for Unix sockets. Written before the first connection is accepted.</summary>
    internal int BoundPort { get; set; }

    /// <summary>The port in URLs of this listener.</summary>
    internal int UrlPort => Config.Tls?.HttpsOnly is { RedirectPort: > 0 } httpsOnly ? httpsOnly.RedirectPort : BoundPort > 0 ? BoundPort : 443;

    private static string StrictTransport(HttpsOnlyConfig config) =>
        $"Strict-Transport-Security: max-age={(long)config.MaxAge.TotalSeconds}{(config.IncludeSubDomains ? "; includeSubDomains" : "")}{(config.Preload ? "; preload" : "")}\r\n";
}

/// <summary>A route with what it leads to.</summary>
internal sealed class RouteSnapshot(string name, RouteConfig config, IReadOnlyDictionary<string, ClusterSnapshot> clusters, int loopCount)
{
    private readonly ClusterSnapshot? _cluster = config.Cluster is { } cluster ? clusters[cluster] : null;
    private readonly ClusterSplit? _split = config.Split.Count > 0 ? new(config.Split, clusters) : null;

    internal string Name { get; } = name;

    /// <summary>Its place in <see cref="ProxySnapshot.Routes"/>.</summary>
    internal int Index { get; set; }

    /// <summary>The same, to hash.</summary>
    internal byte[] NameBytes { get; } = Encoding.UTF8.GetBytes(name);
    internal RouteConfig Config { get; } = config;

    /// <summary>Null where the route is under no limit; of those that are asked before anything is known of the client.</summary>
    internal RouteLimits? Limits { get; init; }

    /// <summary>Those that count by what policies have verified; null for none.</summary>
    internal RouteLimits? IdentityLimits { get; init; }

    /// <summary>Null where the route has none.</summary>
    internal RoutePolicies? Policies { get; init; }

    internal PathVariables PathVariables { get; } = new(config.Path);

    /// <summary>Where a request goes; null where the route answers itself.</summary>
    internal ClusterSnapshot? ClusterFor(Random random) => _cluster ?? _split?.Draw(random);

    /// <summary>Null where nothing is cached.</summary>
    internal RouteCache? Cache { get; init; }

    /// <summary>Null where no bodies stand in the log.</summary>
    internal BodyLogRules? BodyLog { get; } = config.LogBody is { } logBody ? new(logBody) : null;

    /// <summary>Null where requests are not copied to a shadow.</summary>
    internal RouteMirror? Mirror { get; } = config.Mirror is { } mirror ? new(mirror, clusters[mirror.Cluster], loopCount) : null;

    internal long DeadlineMilliseconds { get; } = (long)config.Deadline.TotalMilliseconds;
    internal long PolicyMilliseconds { get; } = (long)config.PolicyTimeout.TotalMilliseconds;
    internal long RequestBodyBytesMax { get; } = config.RequestBodyBytesMax ?? -1;
    internal long RequestHeadBytesMax { get; } = config.RequestHeadBytesMax ?? long.MaxValue;
    internal int RequestHeaderCountMax { get; } = config.RequestHeaderCountMax > 0 ? config.RequestHeaderCountMax : int.MaxValue;
    internal long RequestBodyMilliseconds { get; } = (long)config.RequestBodyTimeout.TotalMilliseconds;
}
