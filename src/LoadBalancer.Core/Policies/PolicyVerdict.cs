using LoadBalancer.Core.AccessLog;

namespace LoadBalancer.Core.Policies;

/// <summary>What one policy has made of a request.</summary>
/// <param name="Policy">Its name.</param>
/// <param name="Status">Of the answer that it gave; 0 where the request went on.</param>
/// <param name="Reason">Why it answered; <see cref="EndReason.None"/> where the request went on.</param>
/// <param name="Detail">What it says of it for the log; null for nothing.</param>
public sealed record PolicyVerdict(string Policy, int Status, EndReason Reason, string? Detail)
{
    /// <summary>Whether the request went on.</summary>
    public bool IsPassed => Status == 0;
}
