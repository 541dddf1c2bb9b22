using System.Collections.Immutable;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Core.Tls;

/// <summary>
/// All certificates and authorities of a configuration, each read once, however many listeners name it. Filled by one thread; then fixed in which
/// files there are, while their contents follow them.
/// </summary>
internal sealed class CertificateStore(bool useOpenSsl, TimeProvider time)
{
    private readonly Dictionary<CertificateConfig, CertificateSource> _certificates = [];
    private readonly Dictionary<string, TrustSource> _authorities = new(StringComparer.Ordinal);
    private readonly List<TlsFileSource> _sources = [];
    private readonly Lock _issuing = new();
    private ImmutableArray<IssuedCertificate> _issued = [];

    /// <summary>Whether OpenSSL is used directly, and has to take them.</summary>
    internal bool UseOpenSsl => useOpenSsl;

    /// <summary>Those of files, in the order in which they were first named.</summary>
    internal IReadOnlyList<TlsFileSource> Sources => _sources;

    /// <summary>Those and the ones that are issued while the server runs.</summary>
    internal IEnumerable<ShownCertificate> All => _sources.Concat<ShownCertificate>(_issued);

    /// <summary>All of a configuration, for whoever only wants to see them.</summary>
    internal static CertificateStore Of(ProxyConfig config, TimeProvider time)
    {
        var store = new CertificateStore(TlsTermination.UsesOpenSsl(config.Transport.Kind), time);
        foreach ((string listener, ListenerConfig listening) in config.Listeners)
        {
            if (listening.Tls is not { } tls) continue;
            foreach (CertificateConfig certificate in tls.Certificates) store.Certificate(listener, certificate);
            if (tls.ClientCertificates is { } clients) store.Authorities(listener, clients.Ca);
        }
        return store;
    }

    /// <summary>What can be read of them, as an operator may see it.</summary>
    internal IReadOnlyList<CertificateView> View()
    {
        DateTimeOffset now = time.GetUtcNow();
        return [.. All.Select(one => one.View(now)).OfType<CertificateView>()];
    }

    /// <summary>The one for a certificate of a listener, read at its first mention.</summary>
    internal CertificateSource Certificate(string listener, CertificateConfig config)
    {
        if (!_certificates.TryGetValue(config, out CertificateSource? source)) Add(_certificates[config] = source = new CertificateSource(config, useOpenSsl, time));
        source.UsedBy(listener);
        return source;
    }

    /// <summary>The one for the authorities of a listener's clients, read at its first mention.</summary>
    internal TrustSource Authorities(string listener, string file)
    {
        if (!_authorities.TryGetValue(file, out TrustSource? source)) Add(_authorities[file] = source = new TrustSource(file, time));
        source.UsedBy(listener);
        return source;
    }

    /// <summary>A place for what will be issued to a listener for a name. Any thread.</summary>
    internal IssuedCertificate Issued(string listener, string name)
    {
        var issued = new IssuedCertificate(name, time);
        issued.UsedBy(listener);
        lock (_issuing) _issued = _issued.Add(issued);
        return issued;
    }

    private void Add(TlsFileSource source)
    {
        source.Look(settles: false);
        _sources.Add(source);
    }
}
