using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace LoadBalancer.Acme.Storage;

/// <summary>A certificate with its key and chain, as it was had for a name.</summary>
internal sealed record IssuedCertificate(X509Certificate2 Leaf, X509Certificate2Collection Chain)
{
    internal DateTimeOffset NotBefore => Leaf.NotBefore;

    internal DateTimeOffset NotAfter => Leaf.NotAfter;

    /// <summary>Reads key, certificate and chain in PEM; false with what is wrong.</summary>
    internal static bool TryParse(string pem, string name, [NotNullWhen(true)] out IssuedCertificate? certificate, out string error)
    {
        certificate = null;
        try
        {
            var leaf = X509Certificate2.CreateFromPem(pem, pem); // refuses a key that is another's
            var chain = new X509Certificate2Collection();
            chain.ImportFromPem(pem);
            chain.RemoveAt(0); // the first is the leaf (RFC 8555 §9.1)
            if (!leaf.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(names => names.EnumerateDnsNames()).Contains(name, StringComparer.OrdinalIgnoreCase))
            {
                error = $"is no certificate for {name}";
                return false;
            }
            certificate = new IssuedCertificate(leaf, chain);
            error = "";
            return true;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            error = $"is no certificate with its private key ({e.Message.ReplaceLineEndings(" ").Trim()})";
            return false;
        }
    }
}
