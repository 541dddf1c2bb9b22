using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Tls.OpenSsl;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Tls;

/// <summary>What the hand-shakes of one listener share: its certificates, which are replaced while it runs, and the bound on their number. Thread-safe.</summary>
internal sealed class TlsTermination
{
    private readonly bool _useOpenSsl;
    private readonly string _listener;
    private readonly TimeProvider _time;
    private readonly TicketKeys _tickets;
    private readonly CertificateSource[] _sources;
    private readonly TrustSource? _authorities;
    private readonly Lock _changing = new(); // for what follows, but for the set as others see it
    private readonly OrderedDictionary<string, IssuedCertificate> _issued = new(StringComparer.OrdinalIgnoreCase); // by the name they are for
    private ServerIdentity[] _identities = [];
    private ClientVerification? _clients;
    private CertificateStore? _store; // that shows what is issued; null before it is in use
    private CertificateSet? _certificates;
    private int _handshakes;

    /// <summary>Makes it of what a store has read.</summary>
    /// <param name="listener">Its name.</param>
    /// <param name="config">What it says.</param>
    /// <param name="store">The certificates.</param>
    /// <param name="isHttp">See <see cref="IsHttp"/>.</param>
    /// <param name="time">The clock.</param>
    /// <param name="before">That of the same listener as it was; null for none. Its sessions hold on, where the rules for clients are the same, and what was issued to it.</param>
    /// <exception cref="ConfigException">A certificate could not be read.</exception>
    internal TlsTermination(string listener, TlsConfig config, CertificateStore store, bool isHttp, TimeProvider time, TlsTermination? before = null)
    {
        Config = config;
        _listener = listener;
        _time = time;
        // Who was let in by other rules begins anew.
        _tickets = before is not null && before.Config.ClientCertificates == config.ClientCertificates && before.Config.Policy == config.Policy ? before._tickets : new TicketKeys();
        IsHttp = isHttp;
        _useOpenSsl = store.UseOpenSsl;
        HandshakeMilliseconds = (long)config.HandshakeTimeout.TotalMilliseconds;
        _sources = [.. config.Certificates.Select(certificate => store.Certificate(listener, certificate))];
        _authorities = config.ClientCertificates is { } clients ? store.Authorities(listener, clients.Ca) : null;
        var problems = new ProblemList();
        for (int i = 0; i < _sources.Length; i++)
            if (_sources[i].ProblemAt(ConfigPath.Item($"{ConfigPath.Member("listeners", listener)}.tls.certificates", i)) is { } problem) problems.Add(problem.Path, problem.Message);
        if (problems.Problems.Count > 0) throw new ConfigException(problems.Problems);
        foreach (string name in config.Acme) _issued[name] = before?.FindIssued(name) ?? new IssuedCertificate(name, time);
        lock (_changing) _certificates = Build();
    }

    private IssuedCertificate? FindIssued(string name)
    {
        lock (_changing) return _issued.TryGetValue(name, out IssuedCertificate? issued) ? issued : null;
    }

    /// <summary>It is in use from here on, with the certificates of that store.</summary>
    internal void TakeOver(CertificateStore store)
    {
        lock (_changing)
        {
            _store = store;
            foreach (IssuedCertificate issued in _issued.Values) store.Add(_listener, issued);
        }
    }

    /// <summary>Whether OpenSSL is used directly: beside the epoll transport where it is there. The other transport is the portable path, in this too.</summary>
    internal static bool UsesOpenSsl(TransportKind transport) => transport != TransportKind.Sockets && LibSsl.IsSupported;

    internal TlsConfig Config { get; }

    internal long HandshakeMilliseconds { get; }

    /// <summary>Whether what is inside is HTTP, which is then agreed on by ALPN; else nothing is, whatever a client offers.</summary>
    internal bool IsHttp { get; }

    /// <summary>What the next hand-shake begins with; null while there is no certificate.</summary>
    internal CertificateSet? Certificates => Volatile.Read(ref _certificates);

    /// <summary>Hand-shakes under way.</summary>
    internal int Handshakes => Volatile.Read(ref _handshakes);

    /// <summary>
    /// Takes over what its sources have now. Hand-shakes that begin from here on get it; those under way and connections keep what they have. Sessions of
    /// before hold on, unless the authorities of clients have changed (<see cref="ClientVerification.Id"/>).
    /// </summary>
    /// <exception cref="System.Security.Cryptography.CryptographicException">OpenSSL does not take a certificate; nothing has changed.</exception>
    internal void Refresh()
    {
        lock (_changing) Volatile.Write(ref _certificates, Build());
    }

    /// <summary>Shows a certificate that was issued for a name from the next hand-shake on, in place of the one before it.</summary>
    /// <exception cref="System.Security.Cryptography.CryptographicException">It cannot be used; nothing has changed.</exception>
    internal void SetIssued(string name, ServerCertificate certificate)
    {
        lock (_changing)
        {
            if (!_issued.TryGetValue(name, out IssuedCertificate? issued))
            {
                _issued[name] = issued = new IssuedCertificate(name, _time);
                _store?.Add(_listener, issued);
            }
            ServerCertificate? before = issued.Current;
            issued.Set(certificate);
            try
            {
                Volatile.Write(ref _certificates, Build());
            }
            catch
            {
                issued.Set(before);
                throw;
            }
        }
    }

    /// <summary>The encrypted connection on an accepted one; its hand-shake is not done. Null while there is no certificate.</summary>
    internal TlsConnection? CreateConnection(TransportConnection inner)
    {
        if (Certificates is not { } certificates) return null;
        return _useOpenSsl ? new OpenSslServerConnection(inner, certificates, _tickets) { IsHttp = IsHttp } : new SslStreamServerConnection(inner, certificates) { IsHttp = IsHttp };
    }

    /// <summary>Counts a hand-shake that begins; false when there are too many.</summary>
    internal bool TryBegin()
    {
        int handshakes = Interlocked.Increment(ref _handshakes);
        if (Config.HandshakesMax == 0 || handshakes <= Config.HandshakesMax) return true;
        Interlocked.Decrement(ref _handshakes);
        return false;
    }

    internal void End() => Interlocked.Decrement(ref _handshakes);

    // Under the lock. What has not changed is kept: an identity costs a context of OpenSSL. Those of files come first: they are the operator's own choice.
    private CertificateSet? Build()
    {
        ClientVerification? clients = _authorities?.Current is not { } authorities ? null
            : authorities == _clients?.Authorities ? _clients
            : new ClientVerification(Config.ClientCertificates!, authorities);
        ServerIdentity[] identities = [.. _sources.Select(source => source.Current!).Concat(_issued.Values.Select(issued => issued.Current).OfType<ServerCertificate>()).Select(Identity)];
        var set = identities.Length == 0 ? null : new CertificateSet(identities, clients);
        _identities = identities;
        _clients = clients;
        return set;

        ServerIdentity Identity(ServerCertificate certificate) =>
            clients == _clients && Array.Find(_identities, one => one.Certificate == certificate) is { } kept ? kept : new ServerIdentity(certificate, Config.Policy, clients, IsHttp, _useOpenSsl);
    }
}
