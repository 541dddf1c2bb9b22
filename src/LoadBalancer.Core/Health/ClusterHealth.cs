using LoadBalancer.Balancing;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Core.Health;

/// <summary>The probers of a cluster's destinations, one for each that is a member. Lives on the loop that probes for the cluster.</summary>
internal sealed class ClusterHealth(LoopContext context, ClusterSnapshot cluster, HealthCheck check)
{
    private readonly Dictionary<Destination, HealthProber> _probers = [];

    /// <summary>Begins to probe members that have come, and ends it for those that are gone. On the loop's thread.</summary>
    internal void Follow()
    {
        HashSet<Destination> present = [.. cluster.Scheduler.Destinations];
        foreach (Destination gone in _probers.Keys.Where(destination => !present.Contains(destination)).ToList())
        {
            _probers[gone].Stop();
            _probers.Remove(gone);
        }
        foreach (Destination destination in present)
        {
            if (_probers.ContainsKey(destination)) continue;
            var prober = new HealthProber(context, cluster, check, destination);
            _probers.Add(destination, prober);
            prober.Start();
        }
    }
}
