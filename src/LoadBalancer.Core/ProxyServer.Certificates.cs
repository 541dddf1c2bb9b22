using LoadBalancer.Core.Tls;

namespace LoadBalancer.Core;

// Certificates while a server runs. Not on the hot path; any thread.
public sealed partial class ProxyServer
{
    private readonly CertificateWatcher _certificates;

    /// <summary>The certificates of the listeners, those of files and those by <see cref="SetCertificate"/>, and the authorities of their clients, at this moment. Thread-safe.</summary>
    public IReadOnlyList<CertificateView> DescribeCertificates() => Snapshot.Certificates.View();

    /// <summary>
    /// Reads the files of certificates now, rather than within some seconds of their change, and takes over those that can be used; what cannot be is logged
    /// and stands in <see cref="CertificateView.Problem"/>. Blocks for the files. Thread-safe.
    /// </summary>
    /// <exception cref="TimeoutException">Another reading has not ended within seconds: a file is not read.</exception>
    /// <returns>How many certificates, or bundles of authorities, were replaced.</returns>
    public int ReloadCertificates() => _certificates.Reload();
}
