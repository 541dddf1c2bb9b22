namespace LoadBalancer.Identity.Following;

/// <summary>How often something outside is looked at, and what happens when it cannot be had.</summary>
public sealed record FollowOptions
{
    /// <summary>Between two fetches, ± 10 % so that balancers do not come together. Default 5 min.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Until a fetch is given up. Default 5 s.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Least time between fetches that were asked for out of turn. Default 30 s.</summary>
    public TimeSpan RefetchMin { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long the last good contents are used without a fetch that succeeds. <see cref="TimeSpan.Zero"/> (default): for ever.</summary>
    public TimeSpan AgeMax { get; init; }

    /// <summary>Longest contents, in bytes. Default 1 MiB.</summary>
    public int BytesMax { get; init; } = 1 << 20;
}
