using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace LoadBalancer.Core.Tls;

/// <summary>A certificate that the listener can show, with the chain sent after it and the names it is for.</summary>
internal sealed class ServerCertificate
{
    internal ServerCertificate(X509Certificate2 leaf, X509Certificate2Collection chain)
    {
        Leaf = leaf;
        // Offline: what is sent is what stands in the file, and starting waits for nobody.
        Context = SslStreamCertificateContext.Create(leaf, chain, offline: true);
        Names = [.. leaf.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(names => names.EnumerateDnsNames()).Select(name => name.ToLowerInvariant())];
    }

    internal X509Certificate2 Leaf { get; }

    internal SslStreamCertificateContext Context { get; }

    /// <summary>DNS names in lower case, perhaps with a wildcard as first label.</summary>
    internal IReadOnlyList<string> Names { get; }
}
