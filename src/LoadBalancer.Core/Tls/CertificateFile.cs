using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Core.Tls;

/// <summary>Certificates with key and chain as they stand in files.</summary>
internal static class CertificateFile
{
    /// <summary>Reads one; false with what is wrong, as an operator says it.</summary>
    internal static bool TryLoad(CertificateConfig config, [NotNullWhen(true)] out ServerCertificate? certificate, out string error)
    {
        certificate = null;
        return TlsFile.TryRead(Files(config), out byte[][]? contents, out error) && TryParse(config, contents, out certificate, out error);
    }

    /// <summary>The files that one consists of, the certificate's first.</summary>
    internal static string[] Files(CertificateConfig config) => config.Key is { } key && key != config.File && !IsPkcs12(config) ? [config.File, key] : [config.File];

    /// <summary>Takes one out of what stands in its files.</summary>
    internal static bool TryParse(CertificateConfig config, byte[][] contents, [NotNullWhen(true)] out ServerCertificate? certificate, out string error)
    {
        certificate = null;
        var all = new X509Certificate2Collection();
        char[] pem = [], keyPem = [];
        try
        {
            X509Certificate2? leaf;
            if (IsPkcs12(config))
            {
                all.AddRange(X509CertificateLoader.LoadPkcs12Collection(contents[0], config.Password));
                leaf = all.FirstOrDefault(one => one.HasPrivateKey);
                if (leaf is null)
                {
                    error = "has no certificate with a private key";
                    return false;
                }
            }
            else
            {
                pem = Text(contents[0]);
                keyPem = Text(contents[^1]);
                if (IsCut(pem) || IsCut(keyPem))
                {
                    error = $"is cut off: a BEGIN has no END{(IsCut(pem) ? "" : " (the key)")}";
                    return false;
                }
                leaf = config.Password is { } password ? X509Certificate2.CreateFromEncryptedPem(pem, keyPem, password) : X509Certificate2.CreateFromPem(pem, keyPem);
                all.ImportFromPem(pem);
            }
            all.Remove(all.FirstOrDefault(one => one.Thumbprint == leaf.Thumbprint) ?? leaf); // the rest is the chain
            certificate = new ServerCertificate(leaf, all);
            error = "";
            return true;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or NotSupportedException)
        {
            error = Describe(e, config);
            return false;
        }
        finally
        {
            Array.Clear(pem);
            Array.Clear(keyPem);
        }
    }

    private static bool IsPkcs12(CertificateConfig config) => Path.GetExtension(config.File).ToUpperInvariant() is ".PFX" or ".P12";

    private static char[] Text(ReadOnlySpan<byte> utf8)
    {
        ReadOnlySpan<byte> mark = [0xEF, 0xBB, 0xBF];
        if (utf8.StartsWith(mark)) utf8 = utf8[mark.Length..];
        char[] text = new char[Encoding.UTF8.GetCharCount(utf8)];
        Encoding.UTF8.GetChars(utf8, text);
        return text;
    }

    // The reader of PEM passes over what has no end: of a file that is being written it would take the certificate without its chain.
    private static bool IsCut(ReadOnlySpan<char> pem) => pem.Count("-----BEGIN ") != pem.Count("-----END ");

    private static string Describe(Exception e, CertificateConfig config) => e switch
    {
        ArgumentException { ParamName: "privateKey" } or CryptographicException { InnerException: ArgumentException } => "has a key that belongs to another certificate",
        CryptographicException when config.Password is null && config.Key is null => $"is no certificate with its private key, or the key needs a \"password\" ({TlsFile.Line(e)})",
        _ => TlsFile.Line(e),
    };
}
