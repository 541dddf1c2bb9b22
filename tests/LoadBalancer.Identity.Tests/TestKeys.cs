using System.Security.Cryptography;
using System.Text;
using LoadBalancer.Identity.Keys;
using LoadBalancer.Identity.Tokens;

namespace LoadBalancer.Identity.Tests;

/// <summary>Signs what it is told to, sound or not.</summary>
internal static class TestKeys
{
    internal static readonly RSA Rsa = RSA.Create(2048), OtherRsa = RSA.Create(2048);
    internal static readonly ECDsa P256 = ECDsa.Create(ECCurve.NamedCurves.nistP256), P384 = ECDsa.Create(ECCurve.NamedCurves.nistP384), P521 = ECDsa.Create(ECCurve.NamedCurves.nistP521);
    internal static readonly byte[] Secret = RandomNumberGenerator.GetBytes(64), EdwardsSecret = RandomNumberGenerator.GetBytes(32), EdwardsPublic = Edwards();

    internal static string Encode(string text) => StrictBase64Url.Encode(Encoding.UTF8.GetBytes(text));

    internal static string Raw(string header, string claims, string algorithm, object? key = null)
    {
        string signed = $"{Encode(header)}.{Encode(claims)}";
        return $"{signed}.{StrictBase64Url.Encode(Sign(algorithm, Encoding.UTF8.GetBytes(signed), key))}";
    }

    internal static string Token(string algorithm, string claims, string? kid = "k") =>
        Raw(kid is null ? $$"""{"alg":"{{algorithm}}","typ":"JWT"}""" : $$"""{"alg":"{{algorithm}}","typ":"JWT","kid":"{{kid}}"}""", claims, algorithm);

    internal static byte[] Sign(string algorithm, byte[] data, object? key = null)
    {
        HashAlgorithmName hash = algorithm[^3..] switch { "384" => HashAlgorithmName.SHA384, "512" => HashAlgorithmName.SHA512, _ => HashAlgorithmName.SHA256 };
        switch (algorithm[..2])
        {
            case "RS": return ((RSA)(key ?? Rsa)).SignData(data, hash, RSASignaturePadding.Pkcs1);
            case "PS": return ((RSA)(key ?? Rsa)).SignData(data, hash, RSASignaturePadding.Pss);
            case "ES": return ((ECDsa)(key ?? (algorithm == "ES256" ? P256 : algorithm == "ES384" ? P384 : P521))).SignData(data, hash);
            case "HS": return hash == HashAlgorithmName.SHA256 ? HMACSHA256.HashData((byte[])(key ?? Secret), data) : hash == HashAlgorithmName.SHA384 ? HMACSHA384.HashData((byte[])(key ?? Secret), data) : HMACSHA512.HashData((byte[])(key ?? Secret), data);
            default:
                byte[] signature = new byte[64];
                Org.BouncyCastle.Math.EC.Rfc8032.Ed25519.Sign(EdwardsSecret, 0, data, 0, data.Length, signature, 0);
                return signature;
        }
    }

    internal static string Jwk(string kid, RSA rsa, string more = "")
    {
        RSAParameters p = rsa.ExportParameters(false);
        return $$"""{"kty":"RSA","kid":"{{kid}}","n":"{{StrictBase64Url.Encode(p.Modulus)}}","e":"{{StrictBase64Url.Encode(p.Exponent)}}"{{more}}}""";
    }

    internal static string Jwk(string kid, ECDsa ec, string curve, string more = "")
    {
        ECParameters p = ec.ExportParameters(false);
        return $$"""{"kty":"EC","kid":"{{kid}}","crv":"{{curve}}","x":"{{StrictBase64Url.Encode(p.Q.X)}}","y":"{{StrictBase64Url.Encode(p.Q.Y)}}"{{more}}}""";
    }

    internal static string EdwardsJwk(string kid) => $$"""{"kty":"OKP","kid":"{{kid}}","crv":"Ed25519","x":"{{StrictBase64Url.Encode(EdwardsPublic)}}"}""";

    internal static string SecretJwk(string kid, byte[] secret, string more = "") => $$"""{"kty":"oct","kid":"{{kid}}","k":"{{StrictBase64Url.Encode(secret)}}"{{more}}}""";

    internal static byte[] Jwks(params string[] keys) => Encoding.UTF8.GetBytes($$"""{"keys":[{{string.Join(',', keys)}}]}""");

    internal static KeySet Set(SignatureAlgorithms algorithms, params string[] keys) =>
        new JwksReader(algorithms, takesSecrets: true).TryRead(Jwks(keys), out KeySet? set, out string problem) ? set : throw new FormatException(problem);

    private static byte[] Edwards()
    {
        byte[] key = new byte[32];
        Org.BouncyCastle.Math.EC.Rfc8032.Ed25519.GeneratePublicKey(EdwardsSecret, 0, key, 0);
        return key;
    }
}
