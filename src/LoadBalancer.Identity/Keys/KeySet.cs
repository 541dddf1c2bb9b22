using LoadBalancer.Identity.Tokens;

namespace LoadBalancer.Identity.Keys;

/// <summary>Keys of one issuer. Immutable.</summary>
public sealed class KeySet(IReadOnlyList<VerificationKey> keys)
{
    /// <summary>Most keys that are tried for a token that names none.</summary>
    internal const int TriesMax = 4;

    private readonly VerificationKey[] _keys = [.. keys];

    /// <summary>The keys.</summary>
    public IReadOnlyList<VerificationKey> Keys => _keys;

    /// <summary>Whether a key has this name.</summary>
    internal bool Has(string keyId)
    {
        foreach (VerificationKey key in _keys)
            if (string.Equals(key.Id, keyId, StringComparison.Ordinal)) return true;
        return false;
    }

    /// <summary>
    /// Verifies with the keys of this name; of a token without one, or where no key has that name, with those that have none themselves and, for a token without one, with
    /// any that fit (RFC 7515 §4.1.4: "kid" is a hint).
    /// </summary>
    internal FailureReason Verify(string? keyId, SignatureAlgorithms algorithm, byte[] data, int length, byte[] signature, out VerificationKey? by)
    {
        by = null;
        bool isNamed = keyId is not null && Has(keyId), found = false;
        int tries = 0;
        foreach (VerificationKey key in _keys)
        {
            if (isNamed ? key.Id != keyId : keyId is not null && key.Id is not null) continue;
            found = true;
            if ((key.Algorithms & algorithm) == 0) continue;
            if (++tries > TriesMax) break;
            if (!key.Verify(algorithm, data, length, signature)) continue;
            by = key;
            return FailureReason.None;
        }
        return tries > 0 ? FailureReason.BadSignature : found ? FailureReason.AlgorithmNotAllowed : FailureReason.UnknownKey;
    }
}
