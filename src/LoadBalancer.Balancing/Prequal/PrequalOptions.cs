namespace LoadBalancer.Balancing;

/// <summary>Settings of <see cref="PrequalPolicy"/>; the defaults are those of the paper's reports.</summary>
public sealed record PrequalOptions
{
    /// <summary>Probe results kept, at most half as many as there are destinations. Default 16.</summary>
    public int PoolMax { get; init; } = 16;

    /// <summary>Probes for each pick. Default 3.</summary>
    public double ProbesPerPick { get; init; } = 3;

    /// <summary>Results dropped for each pick, the oldest and the worst in turn. Default 1.</summary>
    public double RemovedPerPick { get; init; } = 1;

    /// <summary>Age from which a result is not used. Default 1 s.</summary>
    public TimeSpan AgeMax { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>A destination is hot when its outstanding count is above this quantile of the last probes. Default 2^-0.25 ≈ 0.84.</summary>
    public double HotQuantile { get; init; } = 0.8409;
}
