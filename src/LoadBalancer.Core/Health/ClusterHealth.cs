using LoadBalancer.Balancing;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Core.Health;

/// <summary>The probers of a cluster's destinations, one for each that is a member. Lives on the loop that probes for the cluster, which stays the same through changes of the configuration.</summary>
/// <param name="loop">Index of that loop.</param>
internal sealed class ClusterHealth(int loop)
{
    private readonly Dictionary<Destination, HealthProber> _probers = [];
    private ClusterSnapshot? _cluster;
    private HealthCheck? _check;

    internal int Loop => loop;

    /// <summary>
    /// Begins to probe members that have come, and ends it for those that are gone; all of them where it is probed in another way than before, while what was found out stays. On the
    /// loop's thread.
    /// </summary>
    internal void Follow(LoopContext context, ClusterSnapshot cluster)
    {
        if (cluster.HealthCheck != _check || cluster.Config.Ejection != _cluster?.Config.Ejection || cluster.HeadLimits != _cluster.HeadLimits) Stop();
        bool wasProbed = _check is not null;
        _cluster = cluster;
        _check = cluster.HealthCheck;
        if (_check is null)
        {
            // Once nobody probes any more: a last verdict would hold for ever.
            if (!wasProbed) return;
            foreach (Destination destination in cluster.Scheduler.Destinations) cluster.Scheduler.Mark(destination, DestinationStatus.Unhealthy, hold: false, context.Loop.Time.GetTimestamp());
            return;
        }
        HashSet<Destination> present = [.. cluster.Scheduler.Destinations];
        foreach ((Destination destination, HealthProber prober) in _probers.ToList())
        {
            if (present.Contains(destination) && prober.IsOfToday) continue;
            prober.Stop();
            _probers.Remove(destination);
        }
        foreach (Destination destination in present)
        {
            if (_probers.ContainsKey(destination)) continue;
            var prober = new HealthProber(context, cluster, _check, destination);
            _probers.Add(destination, prober);
            prober.Start();
        }
    }

    /// <summary>Ends all of it. On the loop's thread.</summary>
    internal void Stop()
    {
        foreach (HealthProber prober in _probers.Values) prober.Stop();
        _probers.Clear();
    }
}
