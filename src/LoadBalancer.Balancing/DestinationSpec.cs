namespace LoadBalancer.Balancing;

/// <summary>One member of a scheduler, as configured.</summary>
/// <param name="Identity">What makes it the same destination in the next update: its name, or name and address. Unique in a scheduler.</param>
public sealed record DestinationSpec(string Identity)
{
    /// <summary>Largest weight.</summary>
    public const int WeightMax = 1_000_000;

    /// <summary>Share relative to the others, 1 to <see cref="WeightMax"/>. Default 1.</summary>
    public int Weight { get; init; } = 1;

    /// <summary>Tier: 0 is used first, higher ones as far as the lower cannot carry the load. Default 0.</summary>
    public int Priority { get; init; }

    /// <summary>Where it is; null (default) when that is not known. See <see cref="SchedulerOptions.Zone"/>.</summary>
    public string? Zone { get; init; }

    /// <summary>Most picks under way at once; 0 (default) for no limit.</summary>
    public int OutstandingMax { get; init; }

    /// <summary>Reasons not to use it that hold when it becomes a member; later ones are <see cref="Scheduler.Mark"/>'s. Default none.</summary>
    public DestinationStatus InitialStatus { get; init; }

    /// <summary>Given back as <see cref="Destination.Tag"/>.</summary>
    public object? Tag { get; init; }
}
