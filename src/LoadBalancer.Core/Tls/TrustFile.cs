using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace LoadBalancer.Core.Tls;

/// <summary>Reads the certificates that are trusted from a PEM file.</summary>
internal static class TrustFile
{
    /// <summary>Reads them all; false with what is wrong, as an operator says it.</summary>
    internal static bool TryLoad(string file, [NotNullWhen(true)] out X509Certificate2Collection? roots, out string error)
    {
        roots = null;
        return TlsFile.TryRead([file], out byte[][]? contents, out error) && TryParse(contents[0], out roots, out error);
    }

    /// <summary>Takes them out of what stands in the file.</summary>
    internal static bool TryParse(byte[] content, [NotNullWhen(true)] out X509Certificate2Collection? roots, out string error)
    {
        roots = null;
        var all = new X509Certificate2Collection();
        string pem = Encoding.UTF8.GetString(content);
        try
        {
            all.ImportFromPem(pem);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or NotSupportedException)
        {
            error = $"has a certificate that cannot be read ({TlsFile.Line(e)})";
            return false;
        }
        // A chain ends in a root. With only intermediates in the file none would ever be complete.
        error = pem.AsSpan().Count("-----BEGIN ") != pem.AsSpan().Count("-----END ") ? "is cut off: a BEGIN has no END"
            : all.Count == 0 ? "has no certificate in PEM"
            : all.Any(IsRoot) ? ""
            : "has no root certificate, that is one whose issuer is itself";
        if (error.Length > 0) return false;
        roots = all;
        return true;
    }

    /// <summary>Whether its issuer is itself.</summary>
    internal static bool IsRoot(X509Certificate2 certificate) => certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData);
}
