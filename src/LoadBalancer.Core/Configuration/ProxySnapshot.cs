using System.Net;
using System.Text;
using LoadBalancer.Core.Forwarding;
using LoadBalancer.Core.ProxyProtocol;
using LoadBalancer.Core.Routing;
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

    internal static ProxySnapshot Build(ProxyConfig config, FleetServices services)
    {
        IReadOnlyList<ConfigProblem> problems = ConfigValidator.Validate(config);
        if (problems.Count > 0) throw new ConfigException(problems);

        var clusters = new Dictionary<string, ClusterSnapshot>(StringComparer.Ordinal);
        foreach ((string name, ClusterConfig cluster) in config.Clusters)
            clusters.Add(name, new ClusterSnapshot(name, cluster, services));

        var routes = new List<RouteSnapshot>();
        foreach ((string name, RouteConfig route) in config.Routes)
            routes.Add(new RouteSnapshot(name, route, clusters, services.LoopCount));

        var listeners = new List<ListenerSnapshot>();
        foreach ((string name, ListenerConfig listener) in config.Listeners)
        {
            var rules = new List<RouteRule<RouteSnapshot>>();
            foreach (RouteSnapshot route in routes)
            {
                RouteConfig c = route.Config;
                if (c.Listeners.Count == 0 || c.Listeners.Contains(name)) rules.Add(new(route.Name, c.Hosts, c.Path, c.Methods, c.Headers, route) { Cookies = c.Cookies });
            }
            listeners.Add(new ListenerSnapshot(name, listener, RouteTable<RouteSnapshot>.Build(rules), config.Transport.Kind)
            {
                IsClientCertificateKnown = config.Listeners.Values.Any(one => one.Tls?.ClientCertificates is not null),
            });
        }
        return new ProxySnapshot { Config = config, Listeners = [.. listeners], Routes = [.. routes], Clusters = [.. clusters.Values] };
    }
}

/// <summary>A listener as its connections see it.</summary>
internal sealed class ListenerSnapshot
{
    internal ListenerSnapshot(string name, ListenerConfig config, RouteTable<RouteSnapshot> routes, TransportKind transport)
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
        WriteIdleMilliseconds = (long)limits.WriteIdleTimeout.TotalMilliseconds;
        Trusted = config.TrustedProxies.Count == 0 ? null : CidrSet.Parse(config.TrustedProxies);
        ProxyProtocol = config.ProxyProtocol is { } proxyProtocol ? new ProxyHeaderPolicy(proxyProtocol) : null;
        Tls = config.Tls is { } tls ? new TlsTermination($"{ConfigPath.Member("listeners", name)}.tls", tls, TlsTermination.UsesOpenSsl(transport)) : null;
        ViaLine = config.Forwarded.Via.Length == 0 ? [] : Encoding.ASCII.GetBytes($"Via: 1.1 {config.Forwarded.Via}\r\n");
        // RFC 9110 §7.6.3: the version is the one the message was received in.
        ViaLine10 = config.Forwarded.Via.Length == 0 ? [] : Encoding.ASCII.GetBytes($"Via: 1.0 {config.Forwarded.Via}\r\n");
    }

    internal string Name { get; }
    internal ListenerConfig Config { get; }
    internal RouteTable<RouteSnapshot> Routes { get; }
    internal EndPoint EndPoint { get; }
    internal HeadLimits HeadLimits { get; }
    internal long KeepAliveMilliseconds { get; }
    internal long HeadMilliseconds { get; }
    internal long BodyIdleMilliseconds { get; }
    internal long WriteIdleMilliseconds { get; }
    internal CidrSet? Trusted { get; }

    /// <summary>Whether any listener of the server verifies clients: destinations cannot tell which one a request came through.</summary>
    internal bool IsClientCertificateKnown { get; init; }

    /// <summary>Null where connections begin without a PROXY header.</summary>
    internal ProxyHeaderPolicy? ProxyProtocol { get; }

    /// <summary>Null for plain HTTP.</summary>
    internal TlsTermination? Tls { get; }
    internal byte[] ViaLine { get; }
    internal byte[] ViaLine10 { get; }
}

/// <summary>A route with what it leads to.</summary>
internal sealed class RouteSnapshot(string name, RouteConfig config, IReadOnlyDictionary<string, ClusterSnapshot> clusters, int loopCount)
{
    private readonly ClusterSnapshot? _cluster = config.Cluster is { } cluster ? clusters[cluster] : null;
    private readonly ClusterSplit? _split = config.Split.Count > 0 ? new(config.Split, clusters) : null;

    internal string Name { get; } = name;
    internal RouteConfig Config { get; } = config;

    /// <summary>Where a request goes; null where the route answers itself.</summary>
    internal ClusterSnapshot? ClusterFor(Random random) => _cluster ?? _split?.Draw(random);

    /// <summary>Null where requests are not copied to a shadow.</summary>
    internal RouteMirror? Mirror { get; } = config.Mirror is { } mirror ? new(mirror, clusters[mirror.Cluster], loopCount) : null;

    internal long DeadlineMilliseconds { get; } = (long)config.Deadline.TotalMilliseconds;
    internal long RequestBodyBytesMax { get; } = config.RequestBodyBytesMax ?? -1;
}
