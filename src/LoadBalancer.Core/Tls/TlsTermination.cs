using System.Net.Security;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Core.Tls;

/// <summary>What the hand-shakes of one listener share: its certificates, which may be replaced while it runs, and the bound on their number. Thread-safe.</summary>
internal sealed class TlsTermination
{
    private CertificateSet _certificates;
    private int _handshakes;

    /// <exception cref="ConfigException">A certificate cannot be used.</exception>
    internal TlsTermination(string path, TlsConfig config)
    {
        Config = config;
        HandshakeMilliseconds = (long)config.HandshakeTimeout.TotalMilliseconds;
        var certificates = new List<ServerCertificate>();
        var problems = new ProblemList();
        for (int i = 0; i < config.Certificates.Count; i++)
        {
            if (CertificateFile.TryLoad(config.Certificates[i], out ServerCertificate? certificate, out string error)) certificates.Add(certificate);
            else problems.Add($"{ConfigPath.Item($"{path}.certificates", i)}.file", $"{CharacterText.Quote(config.Certificates[i].File)} {error}");
        }
        if (problems.Problems.Count > 0) throw new ConfigException(problems.Problems);
        _certificates = new CertificateSet(certificates, config.Policy);
        Select = (_, hello, _, _) => new(Volatile.Read(ref _certificates).Find(hello.ServerName));
    }

    internal TlsConfig Config { get; }

    internal long HandshakeMilliseconds { get; }

    /// <summary>Chooses the certificate when the client's first message is read.</summary>
    internal ServerOptionsSelectionCallback Select { get; }

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
