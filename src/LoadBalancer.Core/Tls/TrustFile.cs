using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace LoadBalancer.Core.Tls;

/// <summary>Reads the certificates that are trusted from a PEM file.</summary>
internal static class TrustFile
{
    /// <summary>Reads them all; false with what is wrong, as an operator says it.</summary>
    internal static bool TryLoad(string file, [NotNullWhen(true)] out X509Certificate2Collection? roots, out string error)
    {
        roots = null;
        var all = new X509Certificate2Collection();
        try
        {
            all.ImportFromPemFile(file);
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            error = e switch
            {
                FileNotFoundException or DirectoryNotFoundException => "does not exist",
                UnauthorizedAccessException => "cannot be read: permission denied",
                CryptographicException => $"has a certificate that cannot be read ({Line(e)})",
                _ => $"cannot be read: {Line(e)}",
            };
            return false;
        }
        // A chain ends in a root. With only intermediates in the file none would ever be complete.
        bool hasRoot = all.Any(IsRoot);
        error = all.Count == 0 ? "has no certificate in PEM" : hasRoot ? "" : "has no root certificate, that is one whose issuer is itself";
        if (error.Length > 0) return false;
        roots = all;
        return true;
    }

    /// <summary>Whether its issuer is itself.</summary>
    internal static bool IsRoot(X509Certificate2 certificate) => certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData);

    private static string Line(Exception e) => e.Message.ReplaceLineEndings(" ").Trim();
}
