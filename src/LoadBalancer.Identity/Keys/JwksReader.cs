using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LoadBalancer.Identity.Tokens;

namespace LoadBalancer.Identity.Keys;

/// <summary>Reads a JSON Web Key Set (RFC 7517 §5).</summary>
public sealed class JwksReader
{
    /// <summary>Most keys of a set.</summary>
    internal const int KeysMax = 256;

    private readonly SignatureAlgorithms _algorithms;
    private readonly bool _takesSecrets;

    /// <param name="algorithms">What keys may be used with; None: what each says in "alg", or <see cref="DefaultOf"/> its type.</param>
    /// <param name="takesSecrets">Whether shared secrets ("kty": "oct") are taken. Not from a URL that everybody can read.</param>
    public JwksReader(SignatureAlgorithms algorithms, bool takesSecrets)
    {
        _algorithms = algorithms;
        _takesSecrets = takesSecrets;
    }

    /// <summary>
    /// Reads a set. Keys of an unknown type, or for something else, are left out (RFC 7517 §5); so are those that cannot be used, as one bad key should not take the others
    /// with it. False when none is left.
    /// </summary>
    public bool TryRead(ReadOnlySpan<byte> json, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out KeySet? set, out string problem)
    {
        set = null;
        problem = "";
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 8 });
            using JsonDocument document = JsonDocument.ParseValue(ref reader);
            if (reader.Read()) return Is("is not one JSON object", out problem);
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("keys", out JsonElement list) || list.ValueKind != JsonValueKind.Array)
                return Is("is no JSON object with an array \"keys\" (RFC 7517 §5)", out problem);
            if (list.GetArrayLength() > KeysMax) return Is($"has more than {KeysMax} keys", out problem);
            var keys = new List<VerificationKey>();
            string? last = null;
            foreach (JsonElement element in list.EnumerateArray())
            {
                if (Read(element, out string reason) is { } key) keys.Add(key);
                else last = reason;
            }
            if (keys.Count == 0) return Is(last is null ? "has no keys" : $"has no key that can be used; the last is {last}", out problem);
            set = new KeySet(keys);
            return true;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return Is("is no JSON", out problem);
        }
    }

    private static bool Is(string what, out string problem)
    {
        problem = what;
        return false;
    }

    private VerificationKey? Read(JsonElement jwk, out string problem)
    {
        problem = "no JSON object with a string \"kty\"";
        if (jwk.ValueKind != JsonValueKind.Object || Text(jwk, "kty") is not { } type) return null;
        if (Text(jwk, "use") is { } use && use != "sig" || jwk.TryGetProperty("key_ops", out JsonElement operations) && !Names(operations, "verify"))
        {
            problem = "not for signatures (\"use\", \"key_ops\")";
            return null;
        }
        string? id = Text(jwk, "kid");
        if (id is null && jwk.TryGetProperty("kid", out _) || id?.Length > JoseHeader.KeyIdLengthMax)
        {
            problem = "one whose \"kid\" is no string, or too long";
            return null;
        }
        SignatureAlgorithms algorithms = _algorithms;
        if (Text(jwk, "alg") is { } name)
        {
            SignatureAlgorithms own = SignatureAlgorithmNames.Parse(name);
            algorithms = algorithms == SignatureAlgorithms.None ? own : algorithms & own;
        }
        else if (algorithms == SignatureAlgorithms.None)
        {
            algorithms = DefaultOf(type);
        }
        try
        {
            return type switch
            {
                "RSA" => Bytes(jwk, "n", out byte[] n, out problem) && Bytes(jwk, "e", out byte[] e, out problem)
                    ? VerificationKey.OfRsa(id, new RSAParameters { Modulus = n, Exponent = e }, algorithms, out problem) : null,
                "EC" => ReadEc(jwk, id, algorithms, out problem),
                "OKP" when Text(jwk, "crv") == "Ed25519" => Bytes(jwk, "x", out byte[] x, out problem) ? VerificationKey.OfEd25519(id, x, algorithms, out problem) : null,
                "oct" when _takesSecrets => Bytes(jwk, "k", out byte[] k, out problem) ? VerificationKey.OfSecret(id, k, algorithms, out problem) : null,
                "oct" => Is("a shared secret, which is not taken from where everybody can read it", out problem) ? null : null,
                _ => Is("of a type that is not known (RSA, EC with P-256, P-384 or P-521, OKP with Ed25519)", out problem) ? null : null,
            };
        }
        catch (CryptographicException)
        {
            problem = "no key of its type: a point that is not on its curve, or numbers out of range";
            return null;
        }
    }

    /// <summary>What a key is used with that does not say: one algorithm (RFC 8725 §3.1), that of its curve or the usual one.</summary>
    internal static SignatureAlgorithms DefaultOf(string type) => type switch
    {
        "RSA" => SignatureAlgorithms.RS256,
        "EC" => SignatureAlgorithms.Ecdsa, // the curve leaves one of them
        "OKP" => SignatureAlgorithms.EdDSA,
        _ => SignatureAlgorithms.HS256,
    };

    private static VerificationKey? ReadEc(JsonElement jwk, string? id, SignatureAlgorithms algorithms, out string problem)
    {
        (ECCurve curve, int bytes) = Text(jwk, "crv") switch
        {
            "P-256" => (ECCurve.NamedCurves.nistP256, 32),
            "P-384" => (ECCurve.NamedCurves.nistP384, 48),
            "P-521" => (ECCurve.NamedCurves.nistP521, 66),
            _ => (default, 0),
        };
        if (bytes == 0)
        {
            problem = "an EC key of another curve than P-256, P-384 and P-521";
            return null;
        }
        if (!Bytes(jwk, "x", out byte[] x, out problem) || !Bytes(jwk, "y", out byte[] y, out problem)) return null;
        if (x.Length != bytes || y.Length != bytes) // RFC 7518 §6.2.1.2: of full length
        {
            problem = "an EC key whose \"x\" or \"y\" is not of its curve's length";
            return null;
        }
        return VerificationKey.OfEc(id, ECDsa.Create(new ECParameters { Curve = curve, Q = new ECPoint { X = x, Y = y } }), algorithms, out problem);
    }

    private static bool Names(JsonElement list, string name) =>
        list.ValueKind == JsonValueKind.Array && list.EnumerateArray().Any(item => item.ValueKind == JsonValueKind.String && item.ValueEquals(name));

    private static string? Text(JsonElement jwk, string name) => jwk.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static bool Bytes(JsonElement jwk, string name, out byte[] bytes, out string problem)
    {
        problem = "";
        bytes = [];
        if (Text(jwk, name) is { Length: > 0 } text && StrictBase64Url.TryDecode(Encoding.UTF8.GetBytes(text), out bytes)) return true;
        problem = $"one whose \"{name}\" is not there or no base64url";
        return false;
    }
}
