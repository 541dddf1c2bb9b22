namespace LoadBalancer.Balancing;

/// <summary>
/// Outlier ejection: when a destination that fails its requests is taken out, and for how long. It learns from the outcomes of picks alone;
/// every <see cref="PickOutcomeKind"/> but success and cancelled is a failure. Works beside health probes: each sets its own status.
/// </summary>
public sealed record EjectionOptions
{
    /// <summary>Failures in a row that eject. Default 5 (Envoy's consecutive_5xx); 0 for never.</summary>
    public int ConsecutiveFailures { get; init; } = 5;

    /// <summary>
    /// A destination of which a larger part than this of a window's requests fails is ejected. 0 to 1; default 0.5, between YARP's failure rate
    /// of 0.3 and Envoy's failure percentage of 0.85; 1 for never.
    /// </summary>
    public double FailureShareMax { get; init; } = 0.5;

    /// <summary>Requests of a window below which its failures say too little. Default 20.</summary>
    public int RequestsMin { get; init; } = 20;

    /// <summary>Length of a window; the next begins where it ends. Default 10 s (Envoy's sweep).</summary>
    public TimeSpan Window { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the first ejection lasts, the n-th in a row n times as long. Default 30 s (Envoy's base_ejection_time).</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Bound of that. Default 5 min (Envoy's max_ejection_time).</summary>
    public TimeSpan DurationMax { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Largest part of the members that may be ejected at once, rounded down; one that is eligible is left in any case. 0 to 1; default 0.5:
    /// Envoy's 10 % leaves small clusters with their black holes, and with more than half failing it is not the destinations.
    /// </summary>
    public double EjectedShareMax { get; init; } = 0.5;
}
