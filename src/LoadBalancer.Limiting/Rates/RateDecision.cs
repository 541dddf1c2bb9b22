namespace LoadBalancer.Limiting.Rates;

/// <summary>What a rate limit says of one request. Times are in ticks of the clock that the limit counts by.</summary>
/// <param name="IsAllowed">Whether it may go on; then it has been counted.</param>
/// <param name="Remaining">How much may follow at once.</param>
/// <param name="RetryAfter">When the same cost would be allowed; 0 when it is, <see cref="long.MaxValue"/> when it never is.</param>
/// <param name="ResetAfter">When the whole quota is there again.</param>
public readonly record struct RateDecision(bool IsAllowed, long Remaining, long RetryAfter, long ResetAfter);
