using System.Security.Cryptography;
using LoadBalancer.Identity.Tokens;
using Microsoft.IdentityModel.Tokens;
using Org.BouncyCastle.Math.EC.Rfc8032;

namespace LoadBalancer.Identity.Keys;

/// <summary>A key with the algorithms it may be used with: that pin is what keeps a public key from being used as the secret of an HMAC. Immutable; any thread.</summary>
public sealed class VerificationKey
{
    /// <summary>Least and greatest size of an RSA modulus, in bits: RFC 7518 §3.3 wants 2048; beyond 8192 one signature costs milliseconds.</summary>
    internal const int RsaBitsMin = 2048, RsaBitsMax = 8192;

    // Of our own: that of the library keeps what it makes for the life of the process.
    private static readonly CryptoProviderFactory Factory = new() { CacheSignatureProviders = false };

    private readonly SecurityKey? _key;
    private readonly byte[]? _edwards;
    private readonly int _signatureBytes; // 0: as long as the hash
    private readonly SignatureProvider?[] _providers = new SignatureProvider?[SignatureAlgorithmNames.All.Count];

    private VerificationKey(string? id, SecurityKey? key, byte[]? edwards, SignatureAlgorithms algorithms, int signatureBytes)
    {
        Id = id;
        _key = key;
        _edwards = edwards;
        Algorithms = algorithms;
        _signatureBytes = signatureBytes;
    }

    /// <summary>"kid"; null when it has none.</summary>
    public string? Id { get; }

    /// <summary>What it may be used with.</summary>
    public SignatureAlgorithms Algorithms { get; }

    /// <summary>An RSA key.</summary>
    internal static VerificationKey? OfRsa(string? id, RSAParameters parameters, SignatureAlgorithms algorithms, out string problem)
    {
        byte[] modulus = Trimmed(parameters.Modulus!), exponent = Trimmed(parameters.Exponent!);
        int bits = modulus.Length == 0 ? 0 : modulus.Length * 8 - byte.LeadingZeroCount(modulus[0]);
        problem = bits < RsaBitsMin ? $"an RSA key of {bits} bits: at least {RsaBitsMin} are needed"
            : bits > RsaBitsMax ? $"an RSA key of {bits} bits: at most {RsaBitsMax} are taken"
            : exponent.Length is 0 or > 4 || (exponent[^1] & 1) == 0 || (exponent.Length == 1 && exponent[0] < 3) ? "an RSA key whose exponent is not odd, below 3 or beyond 32 bits"
            : (modulus[^1] & 1) == 0 ? "an RSA key whose modulus is even" : "";
        if (!Fits(ref algorithms, SignatureAlgorithms.Rsa, ref problem)) return null;
        return new VerificationKey(id, new RsaSecurityKey(new RSAParameters { Modulus = modulus, Exponent = exponent }), null, algorithms, modulus.Length);
    }

    /// <summary>An EC key. Its curve says the algorithm (RFC 7518 §3.4).</summary>
    internal static VerificationKey? OfEc(string? id, ECDsa key, SignatureAlgorithms algorithms, out string problem)
    {
        (SignatureAlgorithms own, int bytes) = key.ExportParameters(false).Curve.Oid.FriendlyName switch
        {
            "nistP256" or "ECDSA_P256" => (SignatureAlgorithms.ES256, 64),
            "nistP384" or "ECDSA_P384" => (SignatureAlgorithms.ES384, 96),
            "nistP521" or "ECDSA_P521" => (SignatureAlgorithms.ES512, 132),
            _ => (SignatureAlgorithms.None, 0),
        };
        problem = own == SignatureAlgorithms.None ? "an EC key of another curve than P-256, P-384 and P-521" : "";
        if (!Fits(ref algorithms, own, ref problem)) return null;
        return new VerificationKey(id, new ECDsaSecurityKey(key), null, algorithms, bytes);
    }

    /// <summary>An Ed25519 key (RFC 8037 §2).</summary>
    internal static VerificationKey? OfEd25519(string? id, byte[] point, SignatureAlgorithms algorithms, out string problem)
    {
        // In full: a point of small order verifies signatures that nobody has made.
        problem = point.Length != Ed25519.PublicKeySize || !Ed25519.ValidatePublicKeyFull(point, 0) ? "an Ed25519 key that is no point of the group" : "";
        if (!Fits(ref algorithms, SignatureAlgorithms.EdDSA, ref problem)) return null;
        return new VerificationKey(id, null, point, algorithms, Ed25519.SignatureSize);
    }

    /// <summary>A shared secret. What is shorter than an algorithm's hash is not used with it (RFC 7518 §3.2).</summary>
    internal static VerificationKey? OfSecret(string? id, byte[] secret, SignatureAlgorithms algorithms, out string problem)
    {
        SignatureAlgorithms own = secret.Length switch
        {
            < 32 => SignatureAlgorithms.None,
            < 48 => SignatureAlgorithms.HS256,
            < 64 => SignatureAlgorithms.HS256 | SignatureAlgorithms.HS384,
            _ => SignatureAlgorithms.Hmac,
        };
        problem = own == SignatureAlgorithms.None ? $"a secret of {secret.Length} bytes: at least 32 are needed" : "";
        if (!Fits(ref algorithms, own, ref problem)) return null;
        return new VerificationKey(id, new SymmetricSecurityKey(secret), null, algorithms, 0);
    }

    /// <summary>Whether the signature is this key's over the data. False for an algorithm that is not the key's.</summary>
    internal bool Verify(SignatureAlgorithms algorithm, byte[] data, int length, byte[] signature)
    {
        if ((Algorithms & algorithm) == 0) return false;
        int expected = _signatureBytes != 0 ? _signatureBytes : algorithm switch { SignatureAlgorithms.HS256 => 32, SignatureAlgorithms.HS384 => 48, _ => 64 };
        // RFC 8017 §8.2.2 step 1, RFC 7518 §3.4: of this length and no other, or one signature could be written in several ways.
        if (signature.Length != expected) return false;
        try
        {
            if (_edwards is not null) return Ed25519.Verify(signature, 0, _edwards, 0, data, 0, length);
            int index = SignatureAlgorithmNames.IndexOf(algorithm);
            SignatureProvider provider = Volatile.Read(ref _providers[index]) ?? Create(index, algorithm);
            return provider.Verify(data, 0, length, signature, 0, signature.Length);
        }
        catch (Exception e) when (e is CryptographicException or SecurityTokenException or ArgumentException)
        {
            return false;
        }
    }

    // Two threads may both make one; either is good.
    private SignatureProvider Create(int index, SignatureAlgorithms algorithm) =>
        _providers[index] = Factory.CreateForVerifying(_key!, SignatureAlgorithmNames.NameOf(algorithm));

    private static bool Fits(ref SignatureAlgorithms algorithms, SignatureAlgorithms own, ref string problem)
    {
        algorithms &= own;
        if (problem.Length == 0 && algorithms == SignatureAlgorithms.None) problem = "a key whose \"alg\" does not fit its type or size, or is not among the algorithms that are accepted";
        return problem.Length == 0;
    }

    internal static byte[] Trimmed(byte[] number)
    {
        ReadOnlySpan<byte> trimmed = number.AsSpan().TrimStart((byte)0);
        return trimmed.Length == number.Length ? number : trimmed.ToArray();
    }
}
