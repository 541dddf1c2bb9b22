using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Core.Tls;

/// <summary>Reads certificates with key and chain from files.</summary>
internal static class CertificateFile
{
    /// <summary>Reads one; false with what is wrong, as an operator says it.</summary>
    internal static bool TryLoad(CertificateConfig config, [NotNullWhen(true)] out ServerCertificate? certificate, out string error)
    {
        certificate = null;
        string file = config.File, keyFile = config.Key ?? file;
        try
        {
            bool isPkcs12 = Path.GetExtension(file).ToUpperInvariant() is ".PFX" or ".P12";
            var all = new X509Certificate2Collection();
            X509Certificate2? leaf;
            if (isPkcs12)
            {
                all.AddRange(X509CertificateLoader.LoadPkcs12CollectionFromFile(file, config.Password));
                leaf = all.FirstOrDefault(one => one.HasPrivateKey);
                if (leaf is null)
                {
                    error = "has no certificate with a private key";
                    return false;
                }
            }
            else
            {
                leaf = config.Password is { } password
                    ? X509Certificate2.CreateFromEncryptedPemFile(file, password, keyFile)
                    : X509Certificate2.CreateFromPemFile(file, keyFile);
                all.ImportFromPemFile(file);
            }
            all.Remove(all.FirstOrDefault(one => one.Thumbprint == leaf.Thumbprint) ?? leaf); // the rest is the chain
            certificate = new ServerCertificate(leaf, all);
            error = "";
            return true;
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            error = Describe(e, config);
            return false;
        }
    }

    private static string Describe(Exception e, CertificateConfig config) => e switch
    {
        FileNotFoundException or DirectoryNotFoundException => $"does not exist{(config.Key is not null && File.Exists(config.File) ? " (the key)" : "")}",
        UnauthorizedAccessException => "cannot be read: permission denied",
        CryptographicException when config.Password is null && config.Key is null => $"is no certificate with its private key, or the key needs a \"password\" ({Line(e)})",
        _ => Line(e),
    };

    private static string Line(Exception e) => e.Message.ReplaceLineEndings(" ").Trim();
}
