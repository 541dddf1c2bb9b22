using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Tls.OpenSsl;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Tls;

/// <summary>What the hand-shakes of one listener share: its certificates, which may be replaced while it runs, and the bound on their number. Thread-safe.</summary>
internal sealed class TlsTermination
{
    private readonly bool _useOpenSsl;
    private readonly TicketKeys _tickets = new();
    private readonly ClientVerification? _clients;
    private CertificateSet _certificates;
    private int _handshakes;

    /// <exception cref="ConfigException">A certificate cannot be used.</exception>
    internal TlsTermination(string path, TlsConfig config, bool useOpenSsl)
    {
        Config = config;
        _useOpenSsl = useOpenSsl;
        HandshakeMilliseconds = (long)config.HandshakeTimeout.TotalMilliseconds;
        var certificates = new List<ServerCertificate>();
        var problems = new ProblemList();
        for (int i = 0; i < config.Certificates.Count; i++)
        {
            if (CertificateFile.TryLoad(config.Certificates[i], out ServerCertificate? certificate, out string error)) certificates.Add(certificate);
            else problems.Add($"{ConfigPath.Item($"{path}.certificates", i)}.file", $"{CharacterText.Quote(config.Certificates[i].File)} {error}");
        }
        if (config.ClientCertificates is { } clients)
        {
            if (TrustFile.TryLoad(clients.Ca, out X509Certificate2Collection? authorities, out string error)) _clients = new ClientVerification(clients, authorities);
            else problems.Add($"{path}.clientCertificates.ca", $"{CharacterText.Quote(clients.Ca)} {error}");
        }
        if (problems.Problems.Count > 0) throw new ConfigException(problems.Problems);
        try
        {
            _certificates = new CertificateSet(certificates, config.Policy, _clients, useOpenSsl);
        }
        catch (CryptographicException e)
        {
            problems.Add($"{path}.certificates", $"cannot be used: {e.Message}");
            throw new ConfigException(problems.Problems);
        }
    }

    /// <summary>Whether OpenSSL is used directly: beside the epoll transport where it is there. The other transport is the portable path, in this too.</summary>
    internal static bool UsesOpenSsl(TransportKind transport) => transport != TransportKind.Sockets && LibSsl.IsSupported;

    internal TlsConfig Config { get; }

    internal long HandshakeMilliseconds { get; }

    /// <summary>The encrypted connection on an accepted one; its hand-shake is not done.</summary>
    internal TlsConnection CreateConnection(TransportConnection inner) =>
        _useOpenSsl ? new OpenSslConnection(inner, Volatile.Read(ref _certificates), _tickets, _clients is not null) : new SslStreamConnection(inner, Volatile.Read(ref _certificates), _clients);

    /// <summary>Counts a hand-shake that begins; false when there are too many.</summary>
    internal bool TryBegin()
    {
        int handshakes = Interlocked.Increment(ref _handshakes);
        if (Config.HandshakesMax == 0 || handshakes <= Config.HandshakesMax) return true;
        Interlocked.Decrement(ref _handshakes);
        return false;
    }

    internal void End() => Interlocked.Decrement(ref _handshakes);
}
