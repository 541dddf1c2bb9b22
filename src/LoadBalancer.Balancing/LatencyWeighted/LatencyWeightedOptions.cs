namespace LoadBalancer.Balancing;

/// <summary>Settings of <see cref="LatencyWeightedPolicy"/>. The defaults are no knife edge: half or twice of each changes the 99th percentile by a few per cent.</summary>
public sealed record LatencyWeightedOptions
{
    /// <summary>Time constant of the latency average. Default 300 ms.</summary>
    public TimeSpan LatencyTime { get; init; } = TimeSpan.FromMilliseconds(300);

    /// <summary>Most that one sample moves the average, 0 to 1, so that a destination seldom used does not jump. Default 1/16.</summary>
    public float GainMax { get; init; } = 1f / 16;

    /// <summary>Difference to the mean, as a logarithm, that counts as none: equal destinations are then chosen by outstanding count alone. Default 0.15 (15 %).</summary>
    public float DeadBand { get; init; } = 0.15f;

    /// <summary>Time constant with which the latency known of an idle destination returns to the mean. Default 5 s.</summary>
    public TimeSpan IdleTime { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Time constant of the success average. Default 1 s.</summary>
    public TimeSpan SuccessTime { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Time constant with which failures of a destination that gets no traffic are forgotten. Default 10 s.</summary>
    public TimeSpan RecoveryTime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Whether latency is measured to the last byte instead of the first. Default false.</summary>
    public bool ToLastByte { get; init; }
}
