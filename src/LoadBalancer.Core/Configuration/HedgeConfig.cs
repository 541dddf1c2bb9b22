namespace LoadBalancer.Core.Configuration;

/// <summary>
/// Hedged requests: where a destination has said nothing for a while, the same request goes to another as well, and the first to answer serves
/// the client (Dean and Barroso, "The Tail at Scale"). Only GET, HEAD and OPTIONS without a body, and no upgrades; one hedge for a request.
/// </summary>
public sealed record HedgeConfig
{
    /// <summary>
    /// When: a duration such as "50ms", or "p50" to "p99", a percentile of the times to the first byte that the cluster has shown lately (each loop
    /// for itself; after its first 100 requests, and not below 2 ms). Default "p95", as in the paper.
    /// </summary>
    public string After { get; init; } = "p95";

    /// <summary>
    /// Most hedges for a hundred requests of the cluster, 1 to 100; quiet times are saved for up to 10 s, and one in 10 s is granted whatever the
    /// requests. Default 5: as many as "p95" asks for.
    /// </summary>
    public int PercentMax { get; init; } = 5;
}
