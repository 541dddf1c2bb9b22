namespace LoadBalancer.Core.Configuration;

/// <summary>
/// Outlier ejection: destinations that fail requests are taken out for a time. Failures are 5xx answers, connections that cannot be made or
/// break, malformed answers, and time-outs. See <see cref="Balancing.EjectionOptions"/> for how.
/// </summary>
public sealed record EjectionConfig
{
    /// <summary>Whether it is on. Default true.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Failures in a row that eject. Default 5 (Envoy's consecutive_5xx); 0 for never.</summary>
    public int ConsecutiveFailures { get; init; } = 5;

    /// <summary>Ejects when more than this part, in percent, of a window's requests fail. Default 50 (YARP: 30, Envoy: 85); 100 for never.</summary>
    public int FailurePercentMax { get; init; } = 50;

    /// <summary>Fewest requests in a window for that to be judged. Default 20.</summary>
    public int RequestsMin { get; init; } = 20;

    /// <summary>Length of a window. Default 10 s (Envoy's sweep interval).</summary>
    public TimeSpan Window { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the first ejection lasts; the n-th in a row n times as long. Default 30 s (Envoy's base_ejection_time).</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Bound of that. Default 5 min (Envoy's max_ejection_time).</summary>
    public TimeSpan DurationMax { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Most destinations of the cluster, in percent, ejected at once; the last eligible one never is. Default 50 (Envoy's 10 leaves clusters of up to
    /// ten with their black holes, or with one exception).
    /// </summary>
    public int EjectedPercentMax { get; init; } = 50;

    /// <summary>
    /// Whether as many good probes in a row as <see cref="HealthCheckConfig.Rise"/> end an ejection before its time, in clusters with health checks.
    /// Default true (Envoy's successful_active_health_check_uneject_host, for which one is enough). False where probes say little about requests:
    /// those of an endpoint that always answers bring a destination back while it fails everything else.
    /// </summary>
    public bool EndOnGoodProbes { get; init; } = true;
}
