using LoadBalancer.Balancing;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Tls;

namespace LoadBalancer.Core.Upstream;

/// <summary>
/// Who belongs to a cluster at present, put together from several sources: the configuration, discovery, registrations. A change brings the new list into the scheduler by one swap: what stays keeps its connections and all
/// that was learned of it, what goes gets nothing new, finishes what it has and then loses its connections. Thread-safe.
/// </summary>
internal sealed class ClusterMembers(string name, ClusterConfig config, Scheduler scheduler, FleetServices services)
{
    internal const string Configured = "configuration";

    /// <summary>Names that are drained once they are there: at most so many, and for so long, as a server of that name may be another's by then.</summary>
    internal const int AwaitedMax = 10_000;
    internal static readonly TimeSpan AwaitedTime = TimeSpan.FromHours(1);

    private ClusterConfig _cluster = config;
    private readonly Lock _changing = new();
    private readonly OrderedDictionary<string, IReadOnlyDictionary<string, DestinationConfig>> _bySource = new(StringComparer.Ordinal);
    private Dictionary<string, DestinationState> _byIdentity = [];
    private readonly Dictionary<string, long> _awaited = new(StringComparer.Ordinal); // to be drained, with the timestamp until which
    private UpstreamTls? _tls = config.Tls is { } tls ? new UpstreamTls(name, tls, services) : null; // else with the first destination that asks for it

    /// <summary>How those are spoken to that get TLS; null while none does.</summary>
    internal UpstreamTls? Tls => _tls;

    /// <summary>The members in the order they were given.</summary>
    internal IReadOnlyCollection<DestinationState> Present
    {
        get
        {
            lock (_changing) return _byIdentity.Values;
        }
    }

    /// <summary>The member of that name, as the scheduler knows it; null when there is none.</summary>
    internal Destination? Find(string name) =>
        scheduler.Destinations.FirstOrDefault(destination => ((DestinationState)destination.Tag!).Name == name);

    /// <summary>Drains the destination of that name when it first appears: the process before knew it, and this one's sources have not told of it yet.</summary>
    internal void AwaitToDrain(string name, long now)
    {
        lock (_changing)
        {
            if (_awaited.Count < AwaitedMax) _awaited[name] = now + (long)(AwaitedTime.TotalSeconds * services.Time.TimestampFrequency);
        }
    }

    /// <summary>It is not to be drained after all.</summary>
    internal void NoLongerAwait(string name)
    {
        lock (_changing) _awaited.Remove(name);
    }

    /// <summary>The names that are to be drained and not there yet.</summary>
    internal IReadOnlyList<string> Awaited
    {
        get
        {
            lock (_changing) return [.. _awaited.Keys];
        }
    }

    /// <summary>
    /// Sets the members that a source knows of, which were validated. A name that several sources give is the one's that came first.
    /// Returns those that are gone, whose pools their loops are to retire.
    /// </summary>
    /// <param name="source">Whose members these are; those of the others stay.</param>
    /// <param name="destinations">All of the source's, by name.</param>
    /// <param name="now">Timestamp ticks.</param>
    internal IReadOnlyList<DestinationState> Set(string source, IReadOnlyDictionary<string, DestinationConfig> destinations, long now)
    {
        lock (_changing)
        {
            _bySource[source] = destinations;
            return Apply(isReached: true, now);
        }
    }

    /// <summary>Goes by another configuration of the cluster; members that other sources know of stay. Returns what is gone, as <see cref="Set"/> does: also destinations that stay, where they are reached in another way.</summary>
    /// <param name="config">Of the cluster, validated.</param>
    /// <param name="tls">Made from it; null where it has none.</param>
    /// <param name="now">Timestamp ticks.</param>
    internal IReadOnlyList<DestinationState> Reconfigure(ClusterConfig config, UpstreamTls? tls, long now)
    {
        lock (_changing)
        {
            bool isTlsKept = tls is null ? _cluster.Tls is null : tls == _tls;
            // Connections are kept where they are made in the same way.
            bool isReached = isTlsKept && _cluster.Pool == config.Pool && _cluster.ProxyProtocol == config.ProxyProtocol;
            if (!isTlsKept) _tls = tls;
            _cluster = config;
            _bySource[Configured] = config.Destinations;
            return Apply(isReached, now);
        }
    }

    // Under the lock.
    private List<DestinationState> Apply(bool isReached, long now)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var next = new Dictionary<string, DestinationState>(StringComparer.Ordinal);
        var specs = new List<DestinationSpec>();
        foreach ((string from, string key, DestinationConfig config) in _bySource.SelectMany(one => one.Value.Select(d => (one.Key, d.Key, d.Value))))
        {
            if (!names.Add(key)) continue;
            // Another address is another server: nothing that was learned holds for it.
            string identity = $"{key}@{config.Address}";
            if (!_byIdentity.TryGetValue(identity, out DestinationState? member) || !isReached) member = Make(key, config, member);
            member.Config = config;
            member.Source = from;
            next.Add(identity, member);
            DestinationStatus initial = _cluster.HealthCheck is { WaitForFirstProbe: true } ? DestinationStatus.Unhealthy : DestinationStatus.Eligible;
            if (_awaited.Remove(key, out long until) && now < until) initial |= DestinationStatus.Draining;
            specs.Add(new DestinationSpec(identity)
            {
                Weight = config.Weight,
                Priority = config.Tier,
                Zone = string.IsNullOrEmpty(config.Zone) ? null : config.Zone,
                OutstandingMax = config.RequestsMax,
                InitialStatus = initial,
                Tag = member,
            });
        }
        scheduler.Update(specs, now);
        List<DestinationState> gone = [.. _byIdentity.Where(member => next.GetValueOrDefault(member.Key) != member.Value).Select(member => member.Value)];
        _byIdentity = next;
        return gone;
    }

    private DestinationState Make(string key, DestinationConfig config, DestinationState? before)
    {
        bool isEncrypted = _cluster.Tls is not null || AddressParser.TryParseDestination(config.Address, out _, out bool isHttps, out _) && isHttps;
        if (isEncrypted) _tls ??= new UpstreamTls(name, new UpstreamTlsConfig(), services);
        return new DestinationState(key, config, _cluster.Pool, isEncrypted ? _tls : null, services, before) { ProxyProtocol = _cluster.ProxyProtocol };
    }
}
