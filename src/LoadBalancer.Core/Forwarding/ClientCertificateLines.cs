using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Core.Forwarding;

/// <summary>The lines of a forwarded request that say by which certificate the client has proved who it is.</summary>
internal static class ClientCertificateLines
{
    /// <summary>Writes them. Made once for a connection.</summary>
    /// <param name="certificate">The client's, verified.</param>
    /// <param name="fields">Which are wanted.</param>
    internal static byte[] Build(X509Certificate2 certificate, ClientCertificateFields fields)
    {
        var lines = new StringBuilder();
        if (fields.HasFlag(ClientCertificateFields.Subject))
        {
            string subject = DistinguishedName.Format(certificate.SubjectName.RawData);
            if (subject.Length > 0) lines.Append($"Client-Cert-Subject: {subject}\r\n");
        }
        if (fields.HasFlag(ClientCertificateFields.Fingerprint)) lines.Append($"Client-Cert-Fingerprint: {Convert.ToHexStringLower(certificate.GetCertHash(HashAlgorithmName.SHA256))}\r\n");
        // A byte sequence of RFC 8941 §3.3.5.
        if (fields.HasFlag(ClientCertificateFields.Certificate)) lines.Append($"Client-Cert: :{Convert.ToBase64String(certificate.RawDataMemory.Span)}:\r\n");
        return Encoding.ASCII.GetBytes(lines.ToString());
    }
}
