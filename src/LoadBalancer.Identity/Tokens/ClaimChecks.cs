namespace LoadBalancer.Identity.Tokens;

/// <summary>What a token whose signature is good must still satisfy.</summary>
internal static class ClaimChecks
{
    /// <summary>Checks times, audience and required claims.</summary>
    /// <param name="principal">Of the token.</param>
    /// <param name="issuer">Whose token it is.</param>
    /// <param name="now">Seconds since 1970.</param>
    /// <param name="untilSeconds">When it ends, with the skew.</param>
    internal static VerificationResult Check(Principal principal, TokenIssuer issuer, long now, out long untilSeconds)
    {
        long skew = (long)issuer.ClockSkew.TotalSeconds;
        untilSeconds = principal.ExpiresAtSeconds == long.MaxValue ? long.MaxValue : principal.ExpiresAtSeconds + skew;
        if (principal.ExpiresAtSeconds == long.MaxValue && issuer.RequiresExpiry) return VerificationResult.Failed(FailureReason.NoExpiry);
        if (now >= untilSeconds) return VerificationResult.Failed(FailureReason.Expired); // RFC 7519 §4.1.4: on or after
        if (!TryGetTime(principal, "nbf", out long? notBefore) || !TryGetTime(principal, "iat", out long? issuedAt)) return VerificationResult.Failed(FailureReason.ClaimsMalformed);
        if (notBefore > now + skew) return VerificationResult.Failed(FailureReason.NotYetValid);
        if (issuedAt > now + skew) return VerificationResult.Failed(FailureReason.IssuedInFuture);
        if (issuer.AgeMax > TimeSpan.Zero)
        {
            if (issuedAt is null) return VerificationResult.Failed(FailureReason.ClaimMissing, "iat");
            long oldest = issuedAt.Value + (long)issuer.AgeMax.TotalSeconds + skew;
            if (now >= oldest) return VerificationResult.Failed(FailureReason.Expired);
            untilSeconds = Math.Min(untilSeconds, oldest);
        }
        FailureReason audience = CheckAudience(principal, issuer.Audiences);
        if (audience != FailureReason.None) return VerificationResult.Failed(audience);
        foreach (RequiredClaim required in issuer.Required)
        {
            FailureReason reason = required.Check(principal);
            if (reason != FailureReason.None) return VerificationResult.Failed(reason, required.Name);
        }
        return VerificationResult.Of(principal);
    }

    private static FailureReason CheckAudience(Principal principal, IReadOnlyList<string> audiences)
    {
        bool isThere = principal.TryGet("aud", out Claim? claim);
        if (isThere && !claim!.IsTexts) return FailureReason.ClaimsMalformed; // RFC 7519 §4.1.3: a string, or an array of them
        if (audiences.Count == 0) return FailureReason.None;
        if (!isThere) return FailureReason.WrongAudience;
        foreach (string audience in audiences)
            if (claim!.Has(audience)) return FailureReason.None;
        return FailureReason.WrongAudience;
    }

    private static bool TryGetTime(Principal principal, string name, out long? seconds)
    {
        seconds = null;
        if (!principal.TryGet(name, out Claim? claim)) return true;
        if (!claim.TryGetSeconds(out long value)) return false;
        seconds = value;
        return true;
    }
}
