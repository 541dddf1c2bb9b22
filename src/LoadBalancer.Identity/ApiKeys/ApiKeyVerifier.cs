using System.Security.Cryptography;
using LoadBalancer.Identity.Revocation;

namespace LoadBalancer.Identity.ApiKeys;

/// <summary>Verifies API keys. Thread-safe; never waits.</summary>
/// <param name="table">The keys as they are now; null when they cannot be had.</param>
/// <param name="revocations">What is revoked; null for nothing.</param>
/// <param name="time">The clock.</param>
public sealed class ApiKeyVerifier(Func<ApiKeyTable?> table, IRevocations? revocations, TimeProvider time)
{
    /// <summary>Longest key that is looked at, in bytes.</summary>
    public const int KeyBytesMax = 512;

    /// <summary>Verifies a key.</summary>
    // Hot path: per request. 0 allocations for a key that is good.
    public VerificationResult Verify(ReadOnlySpan<byte> key)
    {
        if (key.IsEmpty) return VerificationResult.Failed(FailureReason.CredentialMalformed);
        if (key.Length > KeyBytesMax) return VerificationResult.Failed(FailureReason.CredentialTooLarge);
        if (table() is not { } keys) return VerificationResult.Failed(FailureReason.KeysUnavailable);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(key, hash);
        if (keys.Find(hash) is not { } principal) return VerificationResult.Failed(FailureReason.UnknownApiKey);
        if (principal.ExpiresAtSeconds <= time.GetUtcNow().ToUnixTimeSeconds()) return VerificationResult.Failed(FailureReason.Expired);
        if (revocations is null) return VerificationResult.Of(principal);
        if (revocations.Current is not { } list) return VerificationResult.Failed(FailureReason.RevocationUnavailable);
        return list.Contains(principal) ? VerificationResult.Failed(FailureReason.Revoked) : VerificationResult.Of(principal);
    }
}
