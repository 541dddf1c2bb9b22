using System.Security.Cryptography;

namespace LoadBalancer.Identity.Signatures;

/// <summary>Compares a body with its Content-Digest (RFC 9530 §2).</summary>
public static class ContentDigest
{
    private const int MembersMax = 8;

    /// <summary>The field's value for a body, by SHA-256.</summary>
    public static string Of(ReadOnlySpan<byte> body) => $"sha-256=:{Convert.ToBase64String(SHA256.HashData(body))}:";

    /// <summary>Whether the field has a digest by SHA-256 or SHA-512, and all it has of these are the body's. Those by weaker or unknown hashes are not looked at (§5).</summary>
    public static bool Matches(string field, ReadOnlySpan<byte> body)
    {
        var reader = new FieldReader(field);
        bool any = false;
        int count = 0;
        do
        {
            if (++count > MembersMax || !reader.TryReadKey(out string name) || !reader.TryTake('=') || !reader.TryReadBytes(out byte[] digest)) return false;
            if (name is not ("sha-256" or "sha-512")) continue;
            any = true;
            if (!CryptographicOperations.FixedTimeEquals(digest, name == "sha-256" ? SHA256.HashData(body) : SHA512.HashData(body))) return false;
        }
        while (reader.NextMember());
        return any && reader.IsAtEnd;
    }
}
