namespace LoadBalancer.Identity.Tokens;

/// <summary>Algorithms of signatures (RFC 7518 §3.1, RFC 8037 §3.1). "none" is not one of them.</summary>
[Flags]
public enum SignatureAlgorithms
{
    /// <summary>None at all.</summary>
    None = 0,
    /// <summary>HMAC with SHA-256.</summary>
    HS256 = 1 << 0,
    /// <summary>HMAC with SHA-384.</summary>
    HS384 = 1 << 1,
    /// <summary>HMAC with SHA-512.</summary>
    HS512 = 1 << 2,
    /// <summary>RSASSA-PKCS1-v1_5 with SHA-256.</summary>
    RS256 = 1 << 3,
    /// <summary>RSASSA-PKCS1-v1_5 with SHA-384.</summary>
    RS384 = 1 << 4,
    /// <summary>RSASSA-PKCS1-v1_5 with SHA-512.</summary>
    RS512 = 1 << 5,
    /// <summary>RSASSA-PSS with SHA-256.</summary>
    PS256 = 1 << 6,
    /// <summary>RSASSA-PSS with SHA-384.</summary>
    PS384 = 1 << 7,
    /// <summary>RSASSA-PSS with SHA-512.</summary>
    PS512 = 1 << 8,
    /// <summary>ECDSA with P-256 and SHA-256.</summary>
    ES256 = 1 << 9,
    /// <summary>ECDSA with P-384 and SHA-384.</summary>
    ES384 = 1 << 10,
    /// <summary>ECDSA with P-521 and SHA-512.</summary>
    ES512 = 1 << 11,
    /// <summary>EdDSA with Ed25519.</summary>
    EdDSA = 1 << 12,
    /// <summary>With a shared secret.</summary>
    Hmac = HS256 | HS384 | HS512,
    /// <summary>With an RSA key.</summary>
    Rsa = RS256 | RS384 | RS512 | PS256 | PS384 | PS512,
    /// <summary>With an EC key.</summary>
    Ecdsa = ES256 | ES384 | ES512,
    /// <summary>With any public key.</summary>
    Asymmetric = Rsa | Ecdsa | EdDSA,
}

/// <summary>Their names.</summary>
public static class SignatureAlgorithmNames
{
    private static readonly string[] Names = ["HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];

    /// <summary>All names, as in "alg".</summary>
    public static IReadOnlyList<string> All => Names;

    /// <summary>The algorithm of a name in exactly this spelling (RFC 7515 §4.1.1: case-sensitive); None when there is no such.</summary>
    public static SignatureAlgorithms Parse(string name)
    {
        // RFC 9864 names the curve in place of the family.
        int index = Array.IndexOf(Names, name == "Ed25519" ? "EdDSA" : name);
        return index < 0 ? SignatureAlgorithms.None : (SignatureAlgorithms)(1 << index);
    }

    /// <summary>The name of one algorithm.</summary>
    internal static string NameOf(SignatureAlgorithms one) => Names[IndexOf(one)];

    internal static int IndexOf(SignatureAlgorithms one) => System.Numerics.BitOperations.TrailingZeroCount((int)one);
}
