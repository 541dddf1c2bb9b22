using LoadBalancer.Balancing;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Core.Upstream;

/// <summary>
/// Who belongs to a cluster at present. A change brings the new list into the scheduler by one swap: what stays keeps its connections and all
/// that was learned of it, what goes gets nothing new, finishes what it has and then loses its connections. Thread-safe.
/// </summary>
internal sealed class ClusterMembers(ClusterConfig cluster, Scheduler scheduler, int loopCount)
{
    private readonly Lock _changing = new();
    private Dictionary<string, DestinationState> _byIdentity = [];

    /// <summary>The members in the order they were given.</summary>
    internal IReadOnlyCollection<DestinationState> Present
    {
        get
        {
            lock (_changing) return _byIdentity.Values;
        }
    }

    /// <summary>Sets the members, which were validated. Returns those that are gone, whose pools their loops are to retire.</summary>
    /// <param name="destinations">All of them by name.</param>
    /// <param name="now">Timestamp ticks.</param>
    internal IReadOnlyList<DestinationState> Set(IReadOnlyDictionary<string, DestinationConfig> destinations, long now)
    {
        lock (_changing)
        {
            var next = new Dictionary<string, DestinationState>(destinations.Count, StringComparer.Ordinal);
            var specs = new List<DestinationSpec>(destinations.Count);
            foreach ((string name, DestinationConfig config) in destinations)
            {
                // Another address is another server: nothing that was learned holds for it.
                string identity = $"{name}@{config.Address}";
                if (!_byIdentity.TryGetValue(identity, out DestinationState? member)) member = new DestinationState(name, config, cluster.Pool, loopCount);
                next.Add(identity, member);
                specs.Add(new DestinationSpec(identity)
                {
                    Weight = config.Weight,
                    Priority = config.Tier,
                    Zone = string.IsNullOrEmpty(config.Zone) ? null : config.Zone,
                    OutstandingMax = config.RequestsMax,
                    InitialStatus = cluster.HealthCheck is { WaitForFirstProbe: true } ? DestinationStatus.Unhealthy : DestinationStatus.Eligible,
                    Tag = member,
                });
            }
            scheduler.Update(specs, now);
            List<DestinationState> gone = [.. _byIdentity.Where(member => !next.ContainsKey(member.Key)).Select(member => member.Value)];
            _byIdentity = next;
            return gone;
        }
    }
}
