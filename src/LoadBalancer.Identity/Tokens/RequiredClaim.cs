namespace LoadBalancer.Identity.Tokens;

/// <summary>A claim that a credential must have.</summary>
/// <param name="Name">Its name, with dots for one in an object.</param>
/// <param name="Values">One of these must be its value, or one of its list; empty: any value.</param>
public sealed record RequiredClaim(string Name, IReadOnlyList<string> Values)
{
    internal FailureReason Check(Principal principal)
    {
        if (!principal.TryGet(Name, out Claim? claim) || claim.Kind == ClaimKind.Null) return FailureReason.ClaimMissing;
        if (Values.Count == 0) return FailureReason.None;
        foreach (string value in Values)
            if (claim.Has(value)) return FailureReason.None;
        return FailureReason.ClaimDiffers;
    }
}
