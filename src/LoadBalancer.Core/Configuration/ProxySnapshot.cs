using System.Net;
using System.Text;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Caching;
using LoadBalancer.Core.Forwarding;
using LoadBalancer.Core.Metrics;
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

/// <summary>
/// The validated, immutable form of a <see cref="ProxyConfig"/> that requests read. Nothing in it is parsed again. One that comes after another shares with it all that has not
/// changed: what was learned, counted, cached and connected stays.
/// </summary>
internal sealed class ProxySnapshot
{
    private const int Stride = 16; // ints in a cache line: loops do not share one

    private readonly int[] _holds; // requests that go by it, by loop, each of which writes its own
    private readonly SnapshotRetirement?[] _retirements; // likewise

    private ProxySnapshot(int loopCount)
    {
        _holds = new int[loopCount * Stride];
        _retirements = new SnapshotRetirement?[loopCount];
    }

    internal required ProxyConfig Config { get; init; }
    internal required ListenerSnapshot[] Listeners { get; init; }
    internal required RouteSnapshot[] Routes { get; init; }
    internal required ClusterSnapshot[] Clusters { get; init; }
    internal required Limiter[] Limiters { get; init; }
    internal required CertificateStore Certificates { get; init; }
    internal required ResponseStore[] Stores { get; init; }
    internal required AddressListStore AddressLists { get; init; }
    internal required IReadOnlyDictionary<string, IRoutePolicy> Policies { get; init; }

    private LineFormatter? _recentFormatter;

    /// <summary>Makes lines of recent requests as its access log has them, without its secrets. Made when first asked for; any thread, as one is like the other.</summary>
    internal LineFormatter RecentFormatter(TimeProvider time) => _recentFormatter ??= new LineFormatter((Config.AccessLog ?? new()) with { Format = AccessLogFormat.Json, Template = null }, time);

    /// <summary>A request goes by it. On its loop's thread.</summary>
    // Hot path: per request.
    internal void Hold(int loop) => _holds[loop * Stride]++;

    /// <summary>The same for who may come late. False where it has ended on that loop.</summary>
    internal bool TryHold(int loop)
    {
        if (_retirements[loop] is { } retirement && retirement.IsDone(loop)) return false;
        Hold(loop);
        return true;
    }

    /// <summary>It does so no longer.</summary>
    internal void LetGo(int loop)
    {
        if (--_holds[loop * Stride] == 0) _retirements[loop]?.LoopIsDone(loop);
    }

    /// <summary>It was replaced, and no further request of a loop goes by it: what has ended is told once those are over that do. On that loop's thread.</summary>
    internal void Retire(int loop, SnapshotRetirement retirement)
    {
        _retirements[loop] = retirement;
        if (_holds[loop * Stride] == 0) retirement.LoopIsDone(loop);
    }

    /// <summary>Makes it of a configuration. Nothing that is in use changes by that.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="services">Of the server.</param>
    /// <param name="before">The one that it is to come after; null for none.</param>
    /// <exception cref="ConfigException">The configuration has problems; all of them are listed.</exception>
    internal static ProxySnapshot Build(ProxyConfig config, FleetServices services, ProxySnapshot? before = null)
    {
        var certificates = new CertificateStore(TlsTermination.UsesOpenSsl(config.Transport.Kind), services.Time, before?.Certificates);
        var addressLists = new AddressListStore(config, services.Time, before?.AddressLists);
        IReadOnlyList<ConfigProblem> problems = ConfigValidator.Validate(config, certificates, addressLists);
        if (problems.Count > 0) throw new ConfigException(problems);
        return new SnapshotBuilder(config, services, certificates, addressLists, before).Build();
    }

    /// <summary>What the one before it has too, to be disposed of once nobody uses it. Set when it comes into use.</summary>
    internal IReadOnlyCollection<IDisposable> Inherited { get; set; } = [];

    internal IEnumerable<IDisposable> Disposables => Policies.Values.OfType<IDisposable>().Concat(Stores);

    /// <summary>What it has made for itself, to be disposed of where it is not used after all. Objects that the embedding program gave are not: they may be given again.</summary>
    internal IEnumerable<IDisposable> MadeSince(ProxySnapshot before) =>
        Policies.Where(policy => Config.Policies[policy.Key] is not CustomPolicyConfig).Select(policy => policy.Value).Except(before.Policies.Values).OfType<IDisposable>().Concat(Stores.Except(before.Stores));

    internal static ProxySnapshot Of(int loopCount, ProxyConfig config, IReadOnlyList<ListenerSnapshot> listeners, IReadOnlyList<RouteSnapshot> routes, IEnumerable<ClusterSnapshot> clusters,
        IEnumerable<Limiter> limiters, IEnumerable<ResponseStore> stores, IReadOnlyDictionary<string, IRoutePolicy> policies, CertificateStore certificates, AddressListStore addressLists)
    {
        var snapshot = new ProxySnapshot(loopCount)
        {
            Config = config,
            Listeners = [.. listeners],
            Routes = [.. routes],
            Clusters = [.. clusters],
            Limiters = [.. limiters],
            Stores = [.. stores],
            Policies = policies,
            Certificates = certificates,
            AddressLists = addressLists,
        };
        foreach (ListenerSnapshot listener in listeners) listener.Configuration = snapshot;
        return snapshot;
    }
}

/// <summary>A listener as its connections see it.</summary>
internal sealed class ListenerSnapshot
{
    internal ListenerSnapshot(string name, ListenerConfig config, RouteTable<RouteSnapshot> routes, TlsTermination? tls, ListenerState state)
    {
        Name = name;
        Config = config;
        Routes = routes;
        Tls = tls;
        State = state;
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
        StrictTransportLine = config.Tls?.HttpsOnly is { } httpsOnly ? Encoding.ASCII.GetBytes(StrictTransport(httpsOnly)) : [];
        if (StrictTransportLine.Length > 0) OwnResponseFields = HeadBuffer.Bit(KnownField.StrictTransportSecurity);
        ViaLine = config.Forwarded.Via.Length == 0 ? [] : Encoding.ASCII.GetBytes($"Via: 1.1 {config.Forwarded.Via}\r\n");
        // RFC 9110 §7.6.3: the version is the one the message was received in.
        ViaLine10 = config.Forwarded.Via.Length == 0 ? [] : Encoding.ASCII.GetBytes($"Via: 1.0 {config.Forwarded.Via}\r\n");
    }

    internal string Name { get; }

    /// <summary>The configuration that it is part of.</summary>
    internal ProxySnapshot Configuration { get; set; } = null!;

    /// <summary>What stays when this is replaced.</summary>
    internal ListenerState State { get; }
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

    /// <summary>The port that is really bound; 0 before that, and for Unix sockets.</summary>
    internal int BoundPort => (State.Socket?.LocalEndPoint as IPEndPoint)?.Port ?? 0;

    /// <summary>The port in URLs of this listener.</summary>
    internal int UrlPort => Config.Tls?.HttpsOnly is { RedirectPort: > 0 } httpsOnly ? httpsOnly.RedirectPort : BoundPort > 0 ? BoundPort : 443;

    private static string StrictTransport(HttpsOnlyConfig config) =>
        $"Strict-Transport-Security: max-age={(long)config.MaxAge.TotalSeconds}{(config.IncludeSubDomains ? "; includeSubDomains" : "")}{(config.Preload ? "; preload" : "")}\r\n";
}

/// <summary>A route with what it leads to.</summary>
internal sealed class RouteSnapshot(RouteState state, RouteConfig config, IReadOnlyDictionary<string, ClusterSnapshot> clusters)
{
    private readonly ClusterSnapshot? _cluster = config.Cluster is { } cluster ? clusters[cluster] : null;
    private readonly ClusterSplit? _split = config.Split.Count > 0 ? new(config.Split, clusters) : null;

    internal string Name => state.Name;

    /// <summary>What stays when this is replaced.</summary>
    internal RouteState State => state;

    /// <summary>The same, to hash.</summary>
    internal byte[] NameBytes { get; } = Encoding.UTF8.GetBytes(state.Name);
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
    internal RouteMirror? Mirror { get; init; }

    internal long DeadlineMilliseconds { get; } = (long)config.Deadline.TotalMilliseconds;
    internal long PolicyMilliseconds { get; } = (long)config.PolicyTimeout.TotalMilliseconds;
    internal long RequestBodyBytesMax { get; } = config.RequestBodyBytesMax ?? -1;
    internal long RequestHeadBytesMax { get; } = config.RequestHeadBytesMax ?? long.MaxValue;
    internal int RequestHeaderCountMax { get; } = config.RequestHeaderCountMax > 0 ? config.RequestHeaderCountMax : int.MaxValue;
    internal long RequestBodyMilliseconds { get; } = (long)config.RequestBodyTimeout.TotalMilliseconds;
}
