using LoadBalancer.Balancing;
using LoadBalancer.Core.Events;
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

    /// <summary>Where it is told too.</summary>
    internal required ServerEvents Events { get; init; }

    /// <summary>Ejections so far.</summary>
    internal long Ejections => Volatile.Read(ref _ejections);

    public void OnStatusChanged(Destination destination, DestinationStatus before, DestinationStatus after)
    {
        bool wasEjected = before.HasFlag(DestinationStatus.Ejected), isEjected = after.HasFlag(DestinationStatus.Ejected);
        if (isEjected && !wasEjected)
        {
            Interlocked.Increment(ref _ejections);
            HealthLog.Ejected(logger, cluster, ((DestinationState)destination.Tag!).Name);
            ProxyServer.NoteStatus(Events, cluster, (DestinationState)destination.Tag!, ServerEventKind.DestinationEjected, Cause(destination.Failures), actor: null);
        }
        if (wasEjected && !isEjected)
        {
            HealthLog.EjectionEnded(logger, cluster, ((DestinationState)destination.Tag!).Name);
            ProxyServer.NoteStatus(Events, cluster, (DestinationState)destination.Tag!, ServerEventKind.DestinationReturned, "its ejection is over", actor: null);
        }
        if (after == DestinationStatus.Eligible) Queue?.Freed();
    }

    private static string Cause(in FailureCounts counts) => $"too much failed there: {counts.InARow} requests in a row, {counts.Failures} of the last {counts.Requests}";
}
