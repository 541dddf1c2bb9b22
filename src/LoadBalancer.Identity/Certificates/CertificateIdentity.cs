using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace LoadBalancer.Identity.Certificates;

/// <summary>Makes a principal of a client certificate that the connection has verified: nothing is verified here.</summary>
public static class CertificateIdentity
{
    private const string AlternativeNamesOid = "2.5.29.17", CommonNameOid = "2.5.4.3";
    private const int NamesMax = 64, NameLengthMax = 1024;

    /// <summary>
    /// The principal, with the claims "sub", "cn", "dn", "dns", "uri", "email" (lists), "fingerprint" (SHA-256 in hexadecimal), "serial", "iss" (the issuer's distinguished name)
    /// and "exp", as far as the certificate has them.
    /// </summary>
    public static VerificationResult Read(X509Certificate2 certificate, CertificateSubject subject)
    {
        string fingerprint = Convert.ToHexStringLower(certificate.GetCertHash(HashAlgorithmName.SHA256));
        List<string> dns = [], uris = [], emails = [];
        if (!TryReadNames(certificate, dns, uris, emails)) return VerificationResult.Failed(FailureReason.CredentialMalformed);
        string? commonName = CommonName(certificate);
        string? name = subject switch
        {
            CertificateSubject.CommonName => commonName,
            CertificateSubject.Dns => dns.FirstOrDefault(),
            CertificateSubject.Uri => uris.FirstOrDefault(),
            CertificateSubject.Email => emails.FirstOrDefault(),
            CertificateSubject.DistinguishedName => certificate.Subject,
            _ => fingerprint,
        };
        if (string.IsNullOrEmpty(name)) return VerificationResult.Failed(FailureReason.NoSubject);
        return VerificationResult.Of(new PrincipalBuilder(Schemes.ClientCertificate, name, fingerprint)
            .Add("iss", certificate.Issuer).Add("cn", commonName).Add("dn", certificate.Subject).Add("dns", dns).Add("uri", uris).Add("email", emails)
            .Add("fingerprint", fingerprint).Add("serial", certificate.SerialNumber).Add("exp", new DateTimeOffset(certificate.NotAfter).ToUnixTimeSeconds()).Build());
    }

    private static string? CommonName(X509Certificate2 certificate)
    {
        string? last = null;
        foreach (X500RelativeDistinguishedName part in certificate.SubjectName.EnumerateRelativeDistinguishedNames(reversed: false))
        {
            // Of a part with several values none can be read; who builds such a name means something by it that we do not know.
            if (!part.HasMultipleElements && part.GetSingleElementType().Value == CommonNameOid) last = part.GetSingleElementValue();
        }
        return last;
    }

    private static bool TryReadNames(X509Certificate2 certificate, List<string> dns, List<string> uris, List<string> emails)
    {
        if (certificate.Extensions[AlternativeNamesOid] is not { } extension) return true;
        try
        {
            var reader = new AsnReader(extension.RawData, AsnEncodingRules.DER);
            AsnReader names = reader.ReadSequence();
            for (int count = 0; names.HasData; count++)
            {
                Asn1Tag tag = names.PeekTag();
                List<string>? list = tag.TagClass != TagClass.ContextSpecific ? null : tag.TagValue switch { 1 => emails, 2 => dns, 6 => uris, _ => null };
                if (list is null)
                {
                    names.ReadEncodedValue();
                    continue;
                }
                string name = names.ReadCharacterString(UniversalTagNumber.IA5String, tag);
                // A NUL in a name is the old trick to show one name to whom reads C strings (CVE-2009-2408).
                if (count >= NamesMax || name.Length > NameLengthMax || name.Any(char.IsControl)) return false;
                list.Add(name);
            }
            return !reader.HasData;
        }
        catch (Exception e) when (e is AsnContentException or DecoderFallbackException)
        {
            return false;
        }
    }
}
