namespace LoadBalancer.Balancing;

/// <summary>What a picker may know of the request: no protocol type, so that every user can fill it in.</summary>
/// <param name="Timestamp">Now, in ticks of <see cref="TimeProvider.GetTimestamp"/>.</param>
/// <param name="Attempt">0 for the first pick of a request, 1 for its first retry, and so on.</param>
/// <param name="HashKey">Input of hashing policies (<see cref="HashKeys"/>); 0 when there is none.</param>
/// <param name="Exclude">Destination of the failed attempt: not picked again unless it is the only one. Null for none.</param>
public readonly record struct PickContext(long Timestamp, int Attempt = 0, ulong HashKey = 0, Destination? Exclude = null)
{
    /// <summary>
    /// Whether the request has had its turn. Policies that give turns give it no other: of two destinations one would come up for every first
    /// attempt and the other for every retry.
    /// </summary>
    internal bool IsRepeated => Attempt > 0 || Exclude is not null;
}
