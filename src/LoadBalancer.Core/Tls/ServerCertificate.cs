using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace LoadBalancer.Core.Tls;

/// <summary>A certificate that the listener can show, with the chain sent after it and the names it is for.</summary>
internal sealed class ServerCertificate
{
    internal ServerCertificate(X509Certificate2 leaf, X509Certificate2Collection chain)
    {
        Leaf = leaf;
        Chain = chain;
        // Offline: what is sent is what stands in the file, and starting waits for nobody.
        Context = SslStreamCertificateContext.Create(leaf, chain, offline: true);
        Names = [.. leaf.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(names => names.EnumerateDnsNames()).Select(name => name.ToLowerInvariant())];
        NotBefore = CertificateValidity.Utc(leaf.NotBefore);
        NotAfter = CertificateValidity.Utc(leaf.NotAfter);
        ExpiresAt = CertificateValidity.Utc(Context.IntermediateCertificates.Select(link => link.NotAfter).Append(leaf.NotAfter).Min());
        Fingerprint = CertificateValidity.Fingerprint(leaf);
    }

    internal X509Certificate2 Leaf { get; }

    /// <summary>What stands beside it in the file.</summary>
    internal X509Certificate2Collection Chain { get; }

    /// <summary>Sent with the certificate to clients that ask for it; null for none. Set before it is used.</summary>
    internal OcspResponse? Ocsp { get; set; }

    /// <summary>What an operator should hear about its stapling; null for nothing.</summary>
    internal string? StaplingFault(bool useOpenSsl, DateTimeOffset now)
    {
        string? fault = Ocsp is null ? null
            : !Ocsp.IsUsable(now) ? Ocsp.Fault(now)
            : useOpenSsl ? null : "that needs OpenSSL 3 and the epoll transport";
        if (fault is not null) fault = $"its OCSP response is not sent: {fault}";
        else if (Ocsp is not null) return null;
        return !OcspResponse.IsRequiredBy(Leaf) ? fault : $"it tells clients to refuse it without an OCSP response, and {fault ?? "has none (\"ocsp\")"}";
    }

    internal SslStreamCertificateContext Context { get; }

    /// <summary>DNS names in lower case, perhaps with a wildcard as first label.</summary>
    internal IReadOnlyList<string> Names { get; }

    internal DateTimeOffset NotBefore { get; }

    internal DateTimeOffset NotAfter { get; }

    /// <summary>When clients begin to refuse it: at its own end, or at that of a certificate of its chain.</summary>
    internal DateTimeOffset ExpiresAt { get; }

    /// <summary>SHA-256, in hexadecimal.</summary>
    internal string Fingerprint { get; }
}
