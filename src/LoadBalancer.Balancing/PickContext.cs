namespace LoadBalancer.Balancing;

/// <summary>What a picker may know of the request: no protocol type, so that every user can fill it in.</summary>
/// <param name="Timestamp">Now, in ticks of <see cref="TimeProvider.GetTimestamp"/>.</param>
/// <param name="Attempt">0 for the first pick of a request, 1 for its first retry, and so on.</param>
/// <param name="HashKey">Input of hashing policies; 0 when there is none.</param>
/// <param name="Exclude">Index that must not be picked again (the destination of the failed attempt), or -1.</param>
public readonly record struct PickContext(long Timestamp, int Attempt = 0, ulong HashKey = 0, int Exclude = -1);
