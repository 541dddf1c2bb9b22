namespace LoadBalancer.Core.Configuration;

/// <summary>What a health probe does.</summary>
public enum HealthCheckKind
{
    /// <summary>Sends <c>GET path</c> and looks at the answer.</summary>
    Http,
    /// <summary>Connects, and ends the connection.</summary>
    Tcp,
}

/// <summary>
/// Active health checks: each destination is probed on a connection of its own, whatever the traffic. A destination is used until a probe says
/// otherwise (HAProxy's <c>init-state up</c>), the first probe is made at once and decides alone (Envoy: one is enough for a new host), and from
/// then on it takes <see cref="Fall"/> failures or <see cref="Rise"/> successes in a row to change the verdict.
/// </summary>
public sealed record HealthCheckConfig
{
    /// <summary>"http" (default) or "tcp".</summary>
    public HealthCheckKind Kind { get; init; }

    /// <summary>Path, and query if any, of the request. Default "/".</summary>
    public string Path { get; init; } = "/";

    /// <summary>Host field of the request. Null (default): the cluster's fixed "host", else the destination's address.</summary>
    public string? Host { get; init; }

    /// <summary>Statuses of a healthy destination, each "200" or "200-399". Default "200-399" (HAProxy's httpchk: 2xx and 3xx).</summary>
    public IReadOnlyList<string> Status { get; init => field = ConfigList<string>.Of(value); } = ConfigList<string>.Of(["200-399"]);

    /// <summary>Text that must stand in the first 64 KiB of the body, compared byte by byte as UTF-8. Null (default): the body is not read.</summary>
    public string? Body { get; init; }

    /// <summary>From the end of a probe to the next, ±20 % so that probes of many balancers spread. Default 5 s (HAProxy: 2 s, Envoy: to be given).</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Time for a whole probe, look-up and connect included. Default 2 s (HAProxy: the interval, of 2 s).</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Failed probes in a row that take a healthy destination out. Default 3 (HAProxy's fall).</summary>
    public int Fall { get; init; } = 3;

    /// <summary>Good probes in a row that bring an unhealthy destination back. Default 2 (HAProxy's rise).</summary>
    public int Rise { get; init; } = 2;

    /// <summary>
    /// Whether a destination gets traffic only after its first good probe (Envoy, HAProxy's <c>init-state down</c>). Default false: a start of the
    /// balancer would answer 503 until then. When no destination at all has had a good probe, all are used (see
    /// <see cref="ClusterConfig.PanicThresholdPercent"/>).
    /// </summary>
    public bool WaitForFirstProbe { get; init; }
}
