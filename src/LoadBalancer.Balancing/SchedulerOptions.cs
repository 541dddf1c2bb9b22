namespace LoadBalancer.Balancing;

/// <summary>Settings of a scheduler that are not the policy's.</summary>
public sealed record SchedulerOptions
{
    /// <summary>Timestamp ticks in a second. Default: that of <see cref="TimeProvider.System"/>.</summary>
    public long TimestampFrequency { get; init; } = TimeProvider.System.TimestampFrequency;

    /// <summary>
    /// Makes picks repeatable: the same seed and the same calls from one thread give the same picks. Null (default): each thread draws
    /// from a source of its own, with a seed that nobody knows.
    /// </summary>
    public ulong? Seed { get; init; }

    /// <summary>
    /// With a smaller part of a tier's destinations eligible than this, and no other tier to carry the load, all of them are used but those
    /// that drain: the checks are more likely wrong than nearly everything broken, and the few left would drown. 0 to 1, default 0.5
    /// (Envoy's healthy panic threshold); 0: never, unless none is left.
    /// </summary>
    public double PanicThreshold { get; init; } = 0.5;

    /// <summary>
    /// How much more than its share a destination is trusted to carry before load overflows to the next tier. 1 or more; default 1.4
    /// (Envoy's overprovisioning factor): with 72 % of a tier eligible it still takes everything.
    /// </summary>
    public double Overprovisioning { get; init; } = 1.4;

    /// <summary>
    /// Where this balancer is: of each tier, destinations with the same <see cref="DestinationSpec.Zone"/> are used alone, as far as they can carry
    /// it. The rest goes to all others by the policy: what is beyond <see cref="Overprovisioning"/> times the share they would have without zones,
    /// supposed that each zone gets as many requests, and what is beyond their limits. Null (default): zones do not matter.
    /// </summary>
    public string? Zone { get; init; }

    /// <summary>
    /// Time over which a destination that comes (back) gets its full share, as it is at first unused to load; where there are more than two, since of two the
    /// other would carry nearly everything meanwhile. Default 10 s; zero for none. Not kept by policies that go by a hash key or by probes.
    /// </summary>
    public TimeSpan SlowStart { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Outlier ejection; null (default) for none.</summary>
    public EjectionOptions? Ejection { get; init; }

    /// <summary>Is told of changes of status. Null (default) for nobody.</summary>
    public IStatusObserver? Observer { get; init; }
}
