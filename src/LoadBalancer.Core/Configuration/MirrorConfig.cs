namespace LoadBalancer.Core.Configuration;

/// <summary>
/// Copies of a route's requests to a shadow cluster, whose answers are read and thrown away: the client's answer is neither delayed nor changed by
/// them. A copy carries <c>X-Mirrored: 1</c> and is otherwise what the shadow would get as the route's own cluster. Requests whose body did not
/// arrive together with their head, and upgrades, are not copied.
/// </summary>
public sealed record MirrorConfig
{
    /// <summary>Name of the shadow cluster. Its time-outs, limits, checks and ejection hold; its queue, retries and hedges do not.</summary>
    public required string Cluster { get; init; }

    /// <summary>Which part of the requests is copied, by chance. Default 100.</summary>
    public int Percent { get; init; } = 100;

    /// <summary>Most copies under way at once, over all loops (each has its share); those beyond are left out. Default 100.</summary>
    public int RequestsMax { get; init; } = 100;
}
