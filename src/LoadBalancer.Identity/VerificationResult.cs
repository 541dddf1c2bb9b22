using System.Diagnostics.CodeAnalysis;

namespace LoadBalancer.Identity;

/// <summary>Who it is, or why that is not known. A value.</summary>
public readonly struct VerificationResult
{
    private VerificationResult(Principal? principal, FailureReason reason, string? detail) => (Principal, Reason, Detail) = (principal, reason, detail);

    /// <summary>Who it is; null where <see cref="Reason"/> says why not.</summary>
    public Principal? Principal { get; }

    /// <summary>Why the credential was not accepted.</summary>
    public FailureReason Reason { get; }

    /// <summary>What the configuration calls what was missed (a claim, a component), for the log; null when there is nothing to say. Never what the client sent.</summary>
    public string? Detail { get; }

    /// <summary>Whether the credential was accepted.</summary>
    [MemberNotNullWhen(true, nameof(Principal))]
    public bool IsVerified => Principal is not null;

    /// <summary>It is they.</summary>
    public static VerificationResult Of(Principal principal) => new(principal, FailureReason.None, null);

    /// <summary>It is not accepted.</summary>
    public static VerificationResult Failed(FailureReason reason, string? detail = null) => new(null, reason, detail);

    /// <summary>For the log.</summary>
    public override string ToString() => IsVerified ? Principal.ToString() : Detail is null ? FailureReasonText.Of(Reason) : $"{FailureReasonText.Of(Reason)} ({Detail})";
}
