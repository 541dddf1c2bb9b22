namespace LoadBalancer.Core.Configuration;

/// <summary>
/// Requests that wait while every destination of the cluster has its <see cref="DestinationConfig.RequestsMax"/>. First in, first out on each
/// loop; woken by the end of another request.
/// </summary>
public sealed record QueueConfig
{
    /// <summary>
    /// Most requests that wait, over all loops; those beyond get 503. Default 0: none waits, as in Envoy's circuit breakers and nginx; a queue turns
    /// overload into latency, which has to be wanted (HAProxy queues without limit).
    /// </summary>
    public int RequestsMax { get; init; }

    /// <summary>How long one waits; then 503. Default 2 s: HAProxy's <c>timeout queue</c> is that of connecting where not given.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(2);
}

/// <summary>Bound of the retries of a cluster, so that one in trouble does not get a multiple of its load; a failure beyond it is answered.</summary>
public sealed record RetryBudgetConfig
{
    /// <summary>Retries for a hundred requests. Default 20 (Finagle; Envoy's retry_budget).</summary>
    public int Percent { get; init; } = 20;

    /// <summary>Retries granted each second whatever the requests, so that few requests can be repeated too. Default 3 (Envoy: 3 at once; Finagle: 10).</summary>
    public int PerSecondMin { get; init; } = 3;
}
