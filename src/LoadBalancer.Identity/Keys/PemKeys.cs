using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using LoadBalancer.Identity.Tokens;

namespace LoadBalancer.Identity.Keys;

/// <summary>Keys as operators have them: PEM (RFC 7468), and secrets.</summary>
public static class PemKeys
{
    private const string Ed25519Oid = "1.3.101.112";

    /// <summary>A public key ("PUBLIC KEY", "RSA PUBLIC KEY") or that of a certificate. Null with what is wrong.</summary>
    /// <param name="pem">One block.</param>
    /// <param name="id">"kid" of the key; null: any.</param>
    /// <param name="algorithms">What it may be used with; None: the usual one of its type.</param>
    /// <param name="problem">What is wrong with it.</param>
    public static VerificationKey? Read(string pem, string? id, SignatureAlgorithms algorithms, out string problem)
    {
        problem = "is no PEM with a public key or certificate";
        if (!PemEncoding.TryFind(pem, out PemFields fields)) return null;
        string label = pem[fields.Label];
        if (label.Contains("PRIVATE", StringComparison.Ordinal))
        {
            problem = "is a private key, which has no place on a gateway: give the public one";
            return null;
        }
        try
        {
            if (label == "CERTIFICATE")
            {
                using X509Certificate2 certificate = X509Certificate2.CreateFromPem(pem);
                return OfPublicKeyInfo(certificate.PublicKey.ExportSubjectPublicKeyInfo(), id, algorithms, out problem);
            }
            byte[] der = Convert.FromBase64String(pem[fields.Base64Data]);
            if (label == "PUBLIC KEY") return OfPublicKeyInfo(der, id, algorithms, out problem);
            if (label != "RSA PUBLIC KEY") return null;
            using RSA rsa = RSA.Create();
            rsa.ImportRSAPublicKey(der, out _);
            return VerificationKey.OfRsa(id, rsa.ExportParameters(false), Or(algorithms, "RSA"), out problem);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    /// <summary>A shared secret. Null with what is wrong.</summary>
    /// <param name="secret">Its bytes.</param>
    /// <param name="id">"kid" of the key; null: any.</param>
    /// <param name="algorithms">What it may be used with; None: HS256.</param>
    /// <param name="problem">What is wrong with it.</param>
    public static VerificationKey? OfSecret(byte[] secret, string? id, SignatureAlgorithms algorithms, out string problem)
    {
        // Whoever gives a public key as the secret makes a token of everybody's good.
        if (secret.AsSpan().IndexOf("-----BEGIN "u8) >= 0)
        {
            problem = "is a PEM, not a secret: a public key is known to all";
            return null;
        }
        return VerificationKey.OfSecret(id, secret, Or(algorithms, "oct"), out problem);
    }

    private static SignatureAlgorithms Or(SignatureAlgorithms algorithms, string type) => algorithms == SignatureAlgorithms.None ? JwksReader.DefaultOf(type) : algorithms;

    private static VerificationKey? OfPublicKeyInfo(byte[] der, string? id, SignatureAlgorithms algorithms, out string problem)
    {
        PublicKey key = PublicKey.CreateFromSubjectPublicKeyInfo(der, out _);
        if (key.Oid.Value == Ed25519Oid) return VerificationKey.OfEd25519(id, key.EncodedKeyValue.RawData, Or(algorithms, "OKP"), out problem);
        using (RSA? rsa = key.GetRSAPublicKey())
        {
            if (rsa is not null) return VerificationKey.OfRsa(id, rsa.ExportParameters(false), Or(algorithms, "RSA"), out problem);
        }
        if (key.GetECDsaPublicKey() is { } ec) return VerificationKey.OfEc(id, ec, Or(algorithms, "EC"), out problem);
        problem = "is a key of a type that is not known (RSA, EC with P-256, P-384 or P-521, Ed25519)";
        return null;
    }
}
