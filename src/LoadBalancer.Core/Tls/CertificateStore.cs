using System.Collections.Immutable;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Core.Tls;

/// <summary>
/// All certificates and authorities of a configuration, each read once, however many listeners name it. Filled by one thread; then fixed in which
/// files there are, while their contents follow them.
/// </summary>
internal sealed class CertificateStore(bool useOpenSsl, TimeProvider time, CertificateStore? before = null)
{
    private readonly Dictionary<ShownCertificate, List<string>> _users = []; // until they are told
    private CertificateStore? _before = before; // the one in use, whose files need not be read again
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
        store.TakeOver();
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
        if (!_certificates.TryGetValue(config, out CertificateSource? source))
        {
            source = _before?._certificates.GetValueOrDefault(config);
            Add(_certificates[config] = source ??= new CertificateSource(config, useOpenSsl, time), isNew: source.Current is null);
        }
        Note(source, listener);
        return source;
    }

    /// <summary>The one for the authorities of a listener's clients, read at its first mention.</summary>
    internal TrustSource Authorities(string listener, string file)
    {
        if (!_authorities.TryGetValue(file, out TrustSource? source))
        {
            source = _before?._authorities.GetValueOrDefault(file);
            Add(_authorities[file] = source ??= new TrustSource(file, time), isNew: source.Current is null);
        }
        Note(source, listener);
        return source;
    }

    /// <summary>Takes in the place of what is issued to a listener while it runs. Any thread.</summary>
    internal void Add(string listener, IssuedCertificate issued)
    {
        issued.Listeners = [listener];
        lock (_issuing) _issued = _issued.Add(issued);
    }

    /// <summary>It is in use from here on: what it holds is told which listeners use it.</summary>
    internal void TakeOver()
    {
        _before = null;
        foreach ((ShownCertificate certificate, List<string> listeners) in _users) certificate.Listeners = listeners;
        _users.Clear();
    }

    private void Add(TlsFileSource source, bool isNew)
    {
        if (isNew) source.Look(settles: false);
        _sources.Add(source);
    }

    private void Note(ShownCertificate certificate, string listener)
    {
        if (!_users.TryGetValue(certificate, out List<string>? listeners)) _users.Add(certificate, listeners = []);
        if (!listeners.Contains(listener)) listeners.Add(listener);
    }
}
