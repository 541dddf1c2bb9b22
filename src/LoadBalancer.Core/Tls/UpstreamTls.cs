using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Tls.OpenSsl;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Core.Tls;

/// <summary>What the connections to the destinations of one cluster share: whom they believe, and what they show. Thread-safe.</summary>
internal sealed class UpstreamTls
{
    /// <exception cref="ConfigException">A file cannot be used.</exception>
    internal UpstreamTls(string cluster, UpstreamTlsConfig config, FleetServices services)
    {
        Cluster = cluster;
        Config = config;
        Logger = services.Logger;
        Time = services.Time;
        (Authorities, Certificate) = Load(cluster, config);
        try
        {
            if (services.UsesOpenSsl) OpenSsl = new OpenSslClientContext(config, Authorities, Certificate);
        }
        catch (CryptographicException e)
        {
            throw new ConfigException([new(PathOf(cluster), $"cannot be used: {e.Message}")]);
        }
        if (!config.Verify) UpstreamTlsLog.NotVerified(Logger, cluster);
    }

    private static (X509Certificate2Collection? Authorities, ServerCertificate? Certificate) Load(string cluster, UpstreamTlsConfig config)
    {
        string path = PathOf(cluster), error;
        var problems = new ProblemList();
        X509Certificate2Collection? authorities = null;
        ServerCertificate? certificate = null;
        if (config.Ca is { } ca && !TrustFile.TryLoad(ca, out authorities, out error)) problems.Add($"{path}.ca", $"{CharacterText.Quote(ca)} {error}");
        if (config.Certificate is { } shown && !CertificateFile.TryLoad(shown, out certificate, out error)) problems.Add($"{path}.certificate.file", $"{CharacterText.Quote(shown.File)} {error}");
        return problems.Problems.Count > 0 ? throw new ConfigException(problems.Problems) : (authorities, certificate);
    }

    private static string PathOf(string cluster) => $"{ConfigPath.Member("clusters", cluster)}.tls";

    /// <summary>Whether its files hold today what it was made from.</summary>
    /// <exception cref="ConfigException">A file cannot be used any more.</exception>
    internal bool IsOfToday()
    {
        if (!Config.HasFiles) return true;
        (X509Certificate2Collection? authorities, ServerCertificate? certificate) = Load(Cluster, Config);
        return Certificate?.Fingerprint == certificate?.Fingerprint && Thumbprints(Authorities).SequenceEqual(Thumbprints(authorities));
    }

    private static IEnumerable<string> Thumbprints(X509Certificate2Collection? certificates) => certificates?.Select(one => one.Thumbprint) ?? [];

    internal string Cluster { get; }

    internal UpstreamTlsConfig Config { get; }

    internal ILogger Logger { get; }

    internal TimeProvider Time { get; }

    /// <summary>Null for the system's.</summary>
    internal X509Certificate2Collection? Authorities { get; }

    /// <summary>Shown to destinations that ask; null for none.</summary>
    internal ServerCertificate? Certificate { get; }

    /// <summary>For <see cref="OpenSslClientConnection"/>; null where that is not used.</summary>
    internal OpenSslClientContext? OpenSsl { get; }
}
