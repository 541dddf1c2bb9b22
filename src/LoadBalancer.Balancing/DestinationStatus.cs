namespace LoadBalancer.Balancing;

/// <summary>Reasons not to use a destination. Several may hold at once, each set and cleared by its own owner.</summary>
[Flags]
public enum DestinationStatus
{
    /// <summary>None: it may be used.</summary>
    Eligible = 0,
    /// <summary>Health probes fail. Used all the same in panic, see <see cref="SchedulerOptions.PanicThreshold"/>.</summary>
    Unhealthy = 1,
    /// <summary>Outlier ejection took it out for a time. Used all the same in panic.</summary>
    Ejected = 2,
    /// <summary>Finishes what it has; gets nothing new, not even in panic.</summary>
    Draining = 4,
}
