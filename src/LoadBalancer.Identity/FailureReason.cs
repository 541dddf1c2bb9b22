namespace LoadBalancer.Identity;

/// <summary>Why a credential was not accepted. For the log alone: what a client is told of it helps who guesses.</summary>
public enum FailureReason
{
    /// <summary>It was accepted.</summary>
    None,
    /// <summary>There is no credential.</summary>
    NoCredential,
    /// <summary>There is more than one.</summary>
    SeveralCredentials,
    /// <summary>The credential is not of the form of its scheme.</summary>
    CredentialMalformed,
    /// <summary>It is longer than what is looked at.</summary>
    CredentialTooLarge,
    /// <summary>A token that is not three parts of canonical base64url.</summary>
    TokenMalformed,
    /// <summary>A token that is encrypted (RFC 7516), which is not supported.</summary>
    TokenEncrypted,
    /// <summary>A token in a token (RFC 7519 §5.2), which is not supported.</summary>
    TokenNested,
    /// <summary>The header is no JSON object as RFC 7515 §4 wants it.</summary>
    HeaderMalformed,
    /// <summary>The header has "crit": nothing that it could name is supported (RFC 7515 §4.1.11).</summary>
    CriticalHeader,
    /// <summary>"alg" is "none", in any spelling.</summary>
    AlgorithmNone,
    /// <summary>"alg" names no algorithm that is known here.</summary>
    AlgorithmUnknown,
    /// <summary>"alg" is not one of the key's.</summary>
    AlgorithmNotAllowed,
    /// <summary>"typ" is another than what is accepted (RFC 8725 §3.11).</summary>
    WrongType,
    /// <summary>The claims are no JSON object as RFC 7519 §4 wants it, or one of them has not the type that it must have.</summary>
    ClaimsMalformed,
    /// <summary>"iss" is nobody's whose tokens are accepted, or is not there.</summary>
    UnknownIssuer,
    /// <summary>"kid" names no key of the issuer.</summary>
    UnknownKey,
    /// <summary>The issuer's keys were never had, or are too old.</summary>
    KeysUnavailable,
    /// <summary>The signature is not the key's over these bytes.</summary>
    BadSignature,
    /// <summary>It is too old.</summary>
    Expired,
    /// <summary>It has no end, and must have one.</summary>
    NoExpiry,
    /// <summary>"nbf" lies in the future.</summary>
    NotYetValid,
    /// <summary>It was made in the future.</summary>
    IssuedInFuture,
    /// <summary>It is for somebody else (RFC 7519 §4.1.3).</summary>
    WrongAudience,
    /// <summary>A claim that is required is not there.</summary>
    ClaimMissing,
    /// <summary>A claim that is required has another value.</summary>
    ClaimDiffers,
    /// <summary>It is on the revocation list.</summary>
    Revoked,
    /// <summary>The revocation list was never had, or is too old.</summary>
    RevocationUnavailable,
    /// <summary>No such API key.</summary>
    UnknownApiKey,
    /// <summary>No such user.</summary>
    UnknownUser,
    /// <summary>The password is another.</summary>
    WrongPassword,
    /// <summary>More passwords are to be verified than there is time for.</summary>
    TooBusy,
    /// <summary>The signature does not cover what it must cover.</summary>
    ComponentNotCovered,
    /// <summary>The signature covers what the request does not have.</summary>
    ComponentMissing,
    /// <summary>The body is another than Content-Digest says (RFC 9530).</summary>
    DigestDiffers,
    /// <summary>The nonce was used before.</summary>
    Replayed,
    /// <summary>More nonces are to be remembered than there is room for.</summary>
    ReplayTableFull,
    /// <summary>The connection has no client certificate that was verified.</summary>
    NoCertificate,
    /// <summary>The certificate does not have the name that is the subject.</summary>
    NoSubject,
}

/// <summary>Reasons as machines read them.</summary>
public static class FailureReasonText
{
    private static readonly string[] Texts = [.. Enum.GetNames<FailureReason>().Select(Kebab)];

    /// <summary>Words in lower case with hyphens: "bad-signature". Does not allocate.</summary>
    public static string Of(FailureReason reason) => Texts[(int)reason];

    /// <summary>Whether the credential may well be good: what it is verified with cannot be had.</summary>
    public static bool IsOurs(FailureReason reason) =>
        reason is FailureReason.KeysUnavailable or FailureReason.RevocationUnavailable or FailureReason.TooBusy or FailureReason.ReplayTableFull;

    private static string Kebab(string name) =>
        string.Concat(name.Select((c, i) => char.IsUpper(c) ? (i == 0 ? "" : "-") + char.ToLowerInvariant(c) : c.ToString()));
}
