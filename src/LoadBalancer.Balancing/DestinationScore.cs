namespace LoadBalancer.Balancing;

/// <summary>What a picker knows of a destination at one moment, for people who ask why picks go where they go.</summary>
/// <param name="Score">What it compares: the lower, the sooner it is picked. Null where the policy has none, as with turns or hashes. Comparable within one cluster and tier only.</param>
/// <param name="LatencySeconds">What it takes for the destination's latency; null where nothing is learned, or the policy does not look at it.</param>
/// <param name="FailureShare">What it takes for the probability of failure; null where the policy does not look at it.</param>
public readonly record struct DestinationScore(double? Score, double? LatencySeconds = null, double? FailureShare = null);

/// <summary>Failures of a destination that outlier ejection has counted.</summary>
/// <param name="InARow">Since the last success.</param>
/// <param name="Failures">In the present window.</param>
/// <param name="Requests">In the present window.</param>
public readonly record struct FailureCounts(int InARow, int Failures, int Requests);
