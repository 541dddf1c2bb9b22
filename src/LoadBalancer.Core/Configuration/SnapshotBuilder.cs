using System.Net;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Caching;
using LoadBalancer.Core.Forwarding;
using LoadBalancer.Core.Metrics;
using LoadBalancer.Core.Policies;
using LoadBalancer.Core.Protection;
using LoadBalancer.Core.Protection.Addresses;
using LoadBalancer.Core.Protection.Limits;
using LoadBalancer.Core.Protection.Rules;
using LoadBalancer.Core.Routing;
using LoadBalancer.Core.Tcp;
using LoadBalancer.Core.Tls;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Configuration;

/// <summary>Makes a <see cref="ProxySnapshot"/> of a configuration that was validated, with all that has not changed since the one before. Used once, by one thread.</summary>
internal sealed class SnapshotBuilder(ProxyConfig config, FleetServices services, CertificateStore certificates, AddressListStore addressLists, ProxySnapshot? before)
{
    private readonly Dictionary<string, ClusterSnapshot> _clusters = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Limiter> _limiters = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ResponseStore> _stores = new(StringComparer.Ordinal);
    private readonly Dictionary<string, IRoutePolicy> _policies = new(StringComparer.Ordinal);
    private readonly List<RouteSnapshot> _routes = [];
    private readonly List<ListenerSnapshot> _listeners = [];
    private readonly RequestIdRules _requestIds = new(config.RequestId);
    private readonly HashSet<ListenerState> _taken = []; // sockets of before that have a listener again

    internal ProxySnapshot Build()
    {
        foreach ((string name, ClusterConfig cluster) in config.Clusters) _clusters.Add(name, Cluster(name, cluster));
        foreach ((string name, LimitConfig limit) in config.Limits) _limiters.Add(name, Limiter(name, limit));
        foreach ((string name, CacheConfig cache) in config.Caches) _stores.Add(name, Store(name, cache));
        try
        {
            foreach ((string name, PolicyConfig policy) in config.Policies) _policies.Add(name, Policy(name, policy));
            foreach ((string name, RouteConfig route) in config.Routes) _routes.Add(Route(name, route));
            foreach ((string name, ListenerConfig listener) in config.Listeners) Listen(name, listener);
        }
        catch
        {
            foreach ((string name, IRoutePolicy policy) in _policies)
                if (config.Policies[name] is not CustomPolicyConfig && (before is null || !before.Policies.Values.Contains(policy))) (policy as IDisposable)?.Dispose();
            throw;
        }
        return ProxySnapshot.Of(services.LoopCount, config, _listeners, _routes, _clusters.Values, _limiters.Values, _stores.Values, _policies, certificates, addressLists);
    }

    private ClusterSnapshot Cluster(string name, ClusterConfig cluster)
    {
        ClusterSnapshot? was = Array.Find(before?.Clusters ?? [], one => one.Name == name);
        return was is not null && before!.Config.Zone == config.Zone && was.IsStill(cluster) ? was : new ClusterSnapshot(name, cluster, services, was);
    }

    private Limiter Limiter(string name, LimitConfig limit)
    {
        string? secret = limit.Shared ? config.Redis!.Secret : null;
        bool isKept = before is not null && before.Config.Limits.GetValueOrDefault(name) == limit && (secret is null || before.Config.Redis?.Secret == secret);
        return isKept ? before!.Limiters.Single(one => one.Name == name) : new Limiter(name, limit, secret, services.Time, services.LoopCount);
    }

    private ResponseStore Store(string name, CacheConfig cache)
    {
        ResponseStore? was = Array.Find(before?.Stores ?? [], one => one.Name == name);
        return was?.Config == cache ? was : new ResponseStore(name, cache, was);
    }

    private IRoutePolicy Policy(string name, PolicyConfig policy)
    {
        bool isKept = before is not null && before.Config.Policies.GetValueOrDefault(name) == policy && policy.IsSameIn(before.Config, config)
            && (before.Policies[name] is not IReadsFiles files || files.IsUpToDate());
        return isKept ? before!.Policies[name] : policy.Create(new PolicyServices(name, config, services.Time, services.Logger, services.LoopCount) { FindAddressList = list => addressLists.Get([list])[0] });
    }

    private RouteSnapshot Route(string name, RouteConfig route)
    {
        RouteSnapshot? was = Array.Find(before?.Routes ?? [], one => one.Name == name);
        return new RouteSnapshot(was?.State ?? new RouteState(name), route, _clusters)
        {
            Limits = RouteLimits.Of(route, _limiters, services.Time, needsIdentity: false),
            IdentityLimits = RouteLimits.Of(route, _limiters, services.Time, needsIdentity: true),
            Policies = route.Policies.Count == 0 ? null : new RoutePolicies([.. route.Policies.Select(policy => (policy, _policies[policy]))]),
            Cache = route.Cache is { } cache ? new RouteCache(name, cache, cache.In is { } store ? _stores[store] : _stores.Values.Single(), OwnFields(route)) { RequestIds = _requestIds } : null,
            Mirror = route.Mirror is not { } mirror ? null
                : was?.Config.Mirror == mirror && was.Mirror!.Cluster == _clusters[mirror.Cluster] ? was.Mirror
                : new RouteMirror(mirror, _clusters[mirror.Cluster], services.LoopCount),
        };
    }

    // Fields of responses that are ours to say.
    private uint OwnFields(RouteConfig route) =>
        (config.Listeners.Values.Any(listener => listener.Tls?.HttpsOnly is not null) ? HeadBuffer.Bit(KnownField.StrictTransportSecurity) : 0)
        | (route.Limits.Count == 0 ? 0 : HeadBuffer.Bit(KnownField.RateLimit));

    private void Listen(string name, ListenerConfig listener)
    {
        var rules = new List<RouteRule<RouteSnapshot>>();
        foreach (RouteSnapshot route in _routes)
        {
            RouteConfig c = route.Config;
            if (listener.Tcp is null && (c.Listeners.Count == 0 || c.Listeners.Contains(name))) rules.Add(new(route.Name, c.Hosts, c.Path, c.Methods, c.Headers, route) { Cookies = c.Cookies });
        }
        var snapshot = new ListenerSnapshot(name, listener, RouteTable<RouteSnapshot>.Build(rules), Tls(name, listener), State(name, listener))
        {
            RequestIds = _requestIds,
            Access = Access(listener),
            Rules = listener.Tcp is null ? BlockRules.Of(config, name, addressLists) : null,
            Sources = Sources(name, listener),
            Tcp = listener.Tcp is { } tcp ? new TcpSnapshot(tcp, _clusters) : null,
            IsClientCertificateKnown = config.Listeners.Values.Any(one => one.Tls?.ClientCertificates is not null),
        };
        _listeners.Add(snapshot);
        foreach ((string redirectName, ListenerConfig redirect) in RedirectListener.Of(name, listener))
            _listeners.Add(new ListenerSnapshot(redirectName, redirect, RouteTable<RouteSnapshot>.Build([]), Tls(redirectName, redirect), State(redirectName, redirect))
            {
                RequestIds = _requestIds,
                Access = Access(redirect),
                Sources = Sources(redirectName, redirect),
                Rules = snapshot.Rules,
                RedirectsTo = snapshot,
            });
    }

    private AccessRules? Access(ListenerConfig listener) => listener.Access is { } access ? new AccessRules(access, addressLists) : null;

    private ListenerSnapshot? Was(string name) => Array.Find(before?.Listeners ?? [], one => one.Name == name);

    private SourceLimits? Sources(string name, ListenerConfig listener)
    {
        if (listener.PerSource is not { } sources) return null;
        ListenerSnapshot? was = Was(name);
        return was?.Config.PerSource == sources && was.Config.ConnectionsMax == listener.ConnectionsMax ? was.Sources : new SourceLimits(sources, listener.ConnectionsMax, services.Time);
    }

    private TlsTermination? Tls(string name, ListenerConfig listener)
    {
        if (listener.Tls is not { } tls) return null;
        bool isHttp = listener.Tcp is null;
        TlsTermination? was = Was(name)?.Tls;
        return was is not null && was.Config == tls && was.IsHttp == isHttp ? was : new TlsTermination(name, tls, certificates, isHttp, services.Time, was);
    }

    // The sockets of an address stay open, whatever its listener is called by now.
    private ListenerState State(string name, ListenerConfig listener)
    {
        ListenerSnapshot? was = Was(name) is { } same && IsBoundAlike(same.Config, listener) && !_taken.Contains(same.State) ? same
            : Array.Find(before?.Listeners ?? [], one => IsBoundAlike(one.Config, listener) && one.EndPoint is not IPEndPoint { Port: 0 } && !_taken.Contains(one.State));
        if (was is null) return new ListenerState(services.LoopCount);
        _taken.Add(was.State);
        return was.State;
    }

    private static bool IsBoundAlike(ListenerConfig was, ListenerConfig listener) => was.Address == listener.Address;
}
