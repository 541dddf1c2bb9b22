using System.Text.Json;
using System.Text.Unicode;

namespace LoadBalancer.Identity.Tokens;

/// <summary>
/// What a token's header says (RFC 7515 §4.1). Only "alg", "kid" and "typ" are used. "jku", "jwk", "x5u" and "x5c" bring or name a key that the sender has chosen: they are
/// never looked at (RFC 8725 §3.10).
/// </summary>
internal readonly struct JoseHeader
{
    internal const int DepthMax = 8, MembersMax = 32, KeyIdLengthMax = 256;

    internal SignatureAlgorithms Algorithm { get; private init; }

    internal string? KeyId { get; private init; }

    internal string? Type { get; private init; }

    internal static FailureReason TryRead(ReadOnlySpan<byte> json, out JoseHeader header)
    {
        header = default;
        if (!Utf8.IsValid(json)) return FailureReason.HeaderMalformed;
        try
        {
            return Read(json, out header);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // the latter: an escape that is half of a surrogate pair
        {
            return FailureReason.HeaderMalformed;
        }
    }

    private static FailureReason Read(ReadOnlySpan<byte> json, out JoseHeader header)
    {
        header = default;
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = DepthMax });
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return FailureReason.HeaderMalformed;
        var names = new HashSet<string>(StringComparer.Ordinal);
        string? algorithm = null, keyId = null, type = null;
        FailureReason refusal = FailureReason.None;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = reader.GetString()!;
            if (names.Count >= MembersMax || !names.Add(name) || !reader.Read()) return FailureReason.HeaderMalformed;
            switch (name)
            {
                case "alg" when reader.TokenType == JsonTokenType.String: algorithm = reader.GetString(); break;
                case "kid" when reader.TokenType == JsonTokenType.String: keyId = reader.GetString(); break;
                case "typ" when reader.TokenType == JsonTokenType.String: type = reader.GetString(); break;
                case "alg" or "kid" or "typ": return FailureReason.HeaderMalformed;
                case "cty" when reader.TokenType == JsonTokenType.String:
                    // RFC 7519 §5.2: "JWT" says that the payload is a token.
                    if (string.Equals(Bare(reader.GetString()!), "JWT", StringComparison.OrdinalIgnoreCase)) refusal = FailureReason.TokenNested;
                    break;
                // "b64" (RFC 7797 §7) is not for tokens, and has to be named in "crit".
                case "crit" or "b64": refusal = FailureReason.CriticalHeader; break;
                case "enc" or "zip": refusal = FailureReason.TokenEncrypted; break;
            }
            reader.Skip();
        }
        if (reader.TokenType != JsonTokenType.EndObject || reader.Read() || algorithm is null || keyId?.Length > KeyIdLengthMax) return FailureReason.HeaderMalformed;
        if (refusal != FailureReason.None) return refusal;
        header = new JoseHeader { Algorithm = SignatureAlgorithmNames.Parse(algorithm), KeyId = keyId, Type = type is null ? null : Bare(type) };
        if (header.Algorithm != SignatureAlgorithms.None) return FailureReason.None;
        return string.Equals(algorithm.Trim(), "none", StringComparison.OrdinalIgnoreCase) ? FailureReason.AlgorithmNone : FailureReason.AlgorithmUnknown;
    }

    // RFC 7515 §4.1.9: "application/" may be left out.
    internal static string Bare(string type) => type.StartsWith("application/", StringComparison.OrdinalIgnoreCase) ? type["application/".Length..] : type;
}
