using LoadBalancer.Core.AccessLog;

namespace LoadBalancer.Core.Policies;

/// <summary>An answer that a policy gives in the place of a destination's. May be kept and given many times: it is not changed.</summary>
/// <param name="status">200 to 599.</param>
/// <param name="reason">What the record says.</param>
public sealed class PolicyAnswer(int status, EndReason reason)
{
    /// <summary>Status.</summary>
    public int Status { get; } = status is >= 200 and <= 599 ? status : throw new ArgumentOutOfRangeException(nameof(status), status, "an answer has a status from 200 to 599");

    /// <summary>Why the request ends so; <see cref="EndReason.Responded"/> where nothing is refused.</summary>
    public EndReason Reason { get; } = reason;

    /// <summary>What the log says of it, and the client does not hear; null for nothing. One short line.</summary>
    public string? Detail { get; init; }

    /// <summary>Header fields. Those of framing and connection are the balancer's.</summary>
    public HeaderFields Fields { get; init; } = HeaderFields.Empty;

    /// <summary>Content; with "Content-Type" among the fields where it has one.</summary>
    public ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>Whether the policy has refused the request, which is counted and may lead to a ban; else it has answered it.</summary>
    public bool IsRefusal => Reason != EndReason.Responded;

    /// <summary>A refusal with the status's name as content, as the balancer's own errors have it.</summary>
    public static PolicyAnswer Refuse(int status, EndReason reason, string? detail = null) => new(status, reason) { Detail = detail, IsPlain = true };

    /// <summary>Whether the balancer's usual content for the status is sent.</summary>
    internal bool IsPlain { get; private init; }
}
