using System.Net;
using System.Text;
using LoadBalancer.Balancing;
using LoadBalancer.Core.Forwarding;
using LoadBalancer.Core.Routing;
using LoadBalancer.Core.Upstream;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Configuration;

/// <summary>The validated, immutable form of a <see cref="ProxyConfig"/> that requests read. Built once; nothing in it is parsed again.</summary>
internal sealed class ProxySnapshot
{
    internal required ProxyConfig Config { get; init; }
    internal required ListenerSnapshot[] Listeners { get; init; }
    internal required ClusterSnapshot[] Clusters { get; init; }

    internal static ProxySnapshot Build(ProxyConfig config, int loopCount, TimeProvider time)
    {
        IReadOnlyList<ConfigProblem> problems = ConfigValidator.Validate(config);
        if (problems.Count > 0) throw new ConfigException(problems);

        var clusters = new Dictionary<string, ClusterSnapshot>(StringComparer.Ordinal);
        foreach ((string name, ClusterConfig cluster) in config.Clusters)
            clusters.Add(name, new ClusterSnapshot(name, cluster, loopCount, time));

        var routes = new List<RouteSnapshot>();
        foreach ((string name, RouteConfig route) in config.Routes)
            routes.Add(new RouteSnapshot(name, route, clusters));

        var listeners = new List<ListenerSnapshot>();
        foreach ((string name, ListenerConfig listener) in config.Listeners)
        {
            var rules = new List<RouteRule<RouteSnapshot>>();
            foreach (RouteSnapshot route in routes)
            {
                RouteConfig c = route.Config;
                if (c.Listeners.Count == 0 || c.Listeners.Contains(name)) rules.Add(new(route.Name, c.Hosts, c.Path, c.Methods, c.Headers, route));
            }
            listeners.Add(new ListenerSnapshot(name, listener, RouteTable<RouteSnapshot>.Build(rules)));
        }
        return new ProxySnapshot { Config = config, Listeners = [.. listeners], Clusters = [.. clusters.Values] };
    }
}

/// <summary>A listener as its connections see it.</summary>
internal sealed class ListenerSnapshot
{
    internal ListenerSnapshot(string name, ListenerConfig config, RouteTable<RouteSnapshot> routes)
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
    internal byte[] ViaLine { get; }
    internal byte[] ViaLine10 { get; }
}

/// <summary>A route with what it leads to.</summary>
internal sealed class RouteSnapshot(string name, RouteConfig config, IReadOnlyDictionary<string, ClusterSnapshot> clusters)
{
    private readonly ClusterSnapshot? _cluster = config.Cluster is { } cluster ? clusters[cluster] : null;
    private readonly ClusterSplit? _split = config.Split.Count > 0 ? new(config.Split, clusters) : null;

    internal string Name { get; } = name;
    internal RouteConfig Config { get; } = config;

    /// <summary>Where a request goes; null where the route answers itself.</summary>
    internal ClusterSnapshot? ClusterFor(Random random) => _cluster ?? _split?.Draw(random);

    internal long DeadlineMilliseconds { get; } = (long)config.Deadline.TotalMilliseconds;
    internal long RequestBodyBytesMax { get; } = config.RequestBodyBytesMax ?? -1;
}

/// <summary>A cluster: its settings, its changing members, and the scheduler over them, which has each <see cref="DestinationState"/> as a tag.</summary>
internal sealed class ClusterSnapshot
{
    internal ClusterSnapshot(string name, ClusterConfig config, int loopCount, TimeProvider time)
    {
        Name = name;
        Config = config;
        HashSource = config.HashOn is { } hashOn && HashSource.TryParse(hashOn, out HashSource? source) ? source : null;
        Scheduler = new Scheduler(BalancingPolicies.Create(config.Balance), new SchedulerOptions { TimestampFrequency = time.TimestampFrequency });
        Members = new ClusterMembers(config, Scheduler, loopCount);
        Members.Set(config.Destinations, time.GetTimestamp());
        HeadLimits = new HeadLimits(config.ResponseHeadBytesMax, config.ResponseHeadBytesMax, config.ResponseHeaderCountMax);
        ConnectMilliseconds = (long)config.ConnectTimeout.TotalMilliseconds;
        ResponseHeadMilliseconds = (long)config.ResponseHeadTimeout.TotalMilliseconds;
        IdleMilliseconds = (long)config.IdleTimeout.TotalMilliseconds;
        TunnelIdleMilliseconds = (long)config.TunnelIdleTimeout.TotalMilliseconds;
        KeepsClientHost = config.Host == "client";
        HostOverride = config.Host is "client" or "destination" ? null : Encoding.ASCII.GetBytes(config.Host);
    }

    internal string Name { get; }
    internal ClusterConfig Config { get; }
    internal ClusterMembers Members { get; }
    internal Scheduler Scheduler { get; }
    internal HashSource? HashSource { get; }
    internal HeadLimits HeadLimits { get; }
    internal long ConnectMilliseconds { get; }
    internal long ResponseHeadMilliseconds { get; }
    internal long IdleMilliseconds { get; }
    internal long TunnelIdleMilliseconds { get; }
    internal bool KeepsClientHost { get; }

    /// <summary>A fixed Host value; null for the client's own or the destination's address.</summary>
    internal byte[]? HostOverride { get; }
}
