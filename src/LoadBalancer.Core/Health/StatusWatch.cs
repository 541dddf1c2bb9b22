using LoadBalancer.Balancing;
using LoadBalancer.Core.Forwarding;
using LoadBalancer.Core.Upstream;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Core.Health;

/// <summary>What follows from a change of a destination's status: ejections are logged (probes are where they are made), and requests that wait get their turn.</summary>
internal sealed class StatusWatch(string cluster, ILogger logger) : IStatusObserver
{
    private long _ejections;

    /// <summary>Where requests wait; null where they do not.</summary>
    internal volatile WaitQueue? Queue;

    /// <summary>Ejections so far.</summary>
    internal long Ejections => Volatile.Read(ref _ejections);

    public void OnStatusChanged(Destination destination, DestinationStatus before, DestinationStatus after)
    {
        bool wasEjected = before.HasFlag(DestinationStatus.Ejected), isEjected = after.HasFlag(DestinationStatus.Ejected);
        if (isEjected && !wasEjected)
        {
            Interlocked.Increment(ref _ejections);
            HealthLog.Ejected(logger, cluster, ((DestinationState)destination.Tag!).Name);
        }
        if (wasEjected && !isEjected) HealthLog.EjectionEnded(logger, cluster, ((DestinationState)destination.Tag!).Name);
        if (after == DestinationStatus.Eligible) Queue?.Freed();
    }
}
