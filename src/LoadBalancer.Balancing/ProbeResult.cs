namespace LoadBalancer.Balancing;

/// <summary>What a destination says of itself.</summary>
/// <param name="Outstanding">Requests it works on, from all balancers.</param>
/// <param name="LatencyTicks">Its typical latency at about that load, in timestamp ticks.</param>
public readonly record struct ProbeResult(int Outstanding, long LatencyTicks);
