namespace LoadBalancer.Core.Configuration;

/// <summary>
/// Most requests that a cluster has under way, with those that wait in its queue; those beyond get 503, of a low priority first
/// (<see cref="RouteConfig.Priority"/>: low up to 70 % of the limit, normal up to 90 %, high up to all of it). The limit is found by the latency: it falls when the time
/// to the first byte rises over its long-run mean, and grows while it is used (Netflix concurrency-limits, Envoy's adaptive concurrency).
/// </summary>
public sealed record ConcurrencyConfig
{
    private const int InitialDefault = 100;

    /// <summary>The limit never falls below. Default 10.</summary>
    public int Min { get; init; } = 10;

    /// <summary>The limit never rises above; the same as <see cref="Min"/> for a fixed limit. Default 1000 (Envoy).</summary>
    public int Max { get; init; } = 1000;

    /// <summary>The limit at the start. 0 (default): 100, or the nearest to it between <see cref="Min"/> and <see cref="Max"/>.</summary>
    public int Initial { get; init; }

    /// <summary>How much latency may rise over its long-run mean, in percent, before the limit falls. Default 50 (Netflix's rttTolerance 1.5).</summary>
    public int TolerancePercent { get; init; } = 50;

    /// <summary>Over which time latencies are averaged. Default 1 s.</summary>
    public TimeSpan Window { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Whether it only says what it would turn away: in the record and on the meter. Default false.</summary>
    public bool DryRun { get; init; }

    internal int InitialOrDefault => Initial > 0 ? Initial : Math.Clamp(InitialDefault, Min, Max);
}
