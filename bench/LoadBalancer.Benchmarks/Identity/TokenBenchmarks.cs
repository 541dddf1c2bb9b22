using System.Security.Cryptography;
using System.Text;
using BenchmarkDotNet.Attributes;
using LoadBalancer.Identity;
using LoadBalancer.Identity.Keys;
using LoadBalancer.Identity.Tokens;

namespace LoadBalancer.Benchmarks.Identity;

/// <summary>What does a signed token cost a request, seen before and not? The token has what an issuer's usually has, about 700 bytes.</summary>
[MemoryDiagnoser]
#pragma warning disable CA1001 // ends with its process
public class TokenBenchmarks
#pragma warning restore CA1001
{
    private TokenVerifier _cached = null!, _uncached = null!;
    private byte[] _token = [];

    /// <summary>Of the signature.</summary>
    [Params("RS256", "PS256", "ES256", "HS256", "EdDSA")]
    public string Algorithm { get; set; } = "";

    /// <summary>Makes a key and a token.</summary>
    [GlobalSetup]
    public void Setup()
    {
        byte[] secret = RandomNumberGenerator.GetBytes(32), edwards = RandomNumberGenerator.GetBytes(32), point = new byte[32];
        Org.BouncyCastle.Math.EC.Rfc8032.Ed25519.GeneratePublicKey(edwards, 0, point, 0);
        using RSA rsa = RSA.Create(2048);
        ECDsa ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        string signed = $"{Encode($$"""{"alg":"{{Algorithm}}","typ":"JWT","kid":"k1"}""")}.{Encode(Claims())}";
        byte[] data = Encoding.ASCII.GetBytes(signed), signature = new byte[64];
        switch (Algorithm)
        {
            case "RS256": signature = rsa.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1); break;
            case "PS256": signature = rsa.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pss); break;
            case "ES256": signature = ec.SignData(data, HashAlgorithmName.SHA256); break;
            case "HS256": signature = HMACSHA256.HashData(secret, data); break;
            default: Org.BouncyCastle.Math.EC.Rfc8032.Ed25519.Sign(edwards, 0, data, 0, data.Length, signature, 0); break;
        }
        _token = Encoding.ASCII.GetBytes($"{signed}.{StrictBase64Url.Encode(signature)}");
        SignatureAlgorithms algorithms = SignatureAlgorithmNames.Parse(Algorithm);
        string problem;
        VerificationKey? key = Algorithm switch
        {
            "ES256" => VerificationKey.OfEc("k1", ec, algorithms, out problem),
            "HS256" => VerificationKey.OfSecret("k1", secret, algorithms, out problem),
            "EdDSA" => VerificationKey.OfEd25519("k1", point, algorithms, out problem),
            _ => VerificationKey.OfRsa("k1", rsa.ExportParameters(false), algorithms, out problem),
        };
        var issuer = new TokenIssuer { Name = "https://id.example.com/", Audiences = ["api"], Keys = new FixedKeys(new KeySet([key ?? throw new FormatException(problem)])) };
        _cached = new TokenVerifier([issuer], new VerifiedCache(4096), null, TimeProvider.System);
        _uncached = new TokenVerifier([issuer], null, null, TimeProvider.System);
        if (!Cached() || !Uncached()) throw new InvalidOperationException("the token is not verified");
    }

    /// <summary>One that was verified before.</summary>
    [Benchmark]
    public bool Cached() => Verify(_cached);

    /// <summary>One that was not: read, verified, checked.</summary>
    [Benchmark]
    public bool Uncached() => Verify(_uncached);

    private bool Verify(TokenVerifier verifier)
    {
        ValueTask<VerificationResult> task = verifier.VerifyAsync(_token);
        return task.IsCompletedSuccessfully && task.Result.IsVerified;
    }

    private static string Encode(string text) => StrictBase64Url.Encode(Encoding.UTF8.GetBytes(text));

    private static string Claims() => $$"""
        {"iss":"https://id.example.com/","aud":["api","account"],"sub":"8f1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9","azp":"web","exp":{{DateTimeOffset.UtcNow.ToUnixTimeSeconds() + 86400}},"iat":{{DateTimeOffset.UtcNow.ToUnixTimeSeconds()}},"jti":"0a1b2c3d","scope":"openid profile email","realm_access":{"roles":["user","admin","auditor"]},"name":"Alice Example","email":"alice@example.com"}
        """;
}
