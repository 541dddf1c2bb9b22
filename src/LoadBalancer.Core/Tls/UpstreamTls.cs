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
        string path = $"{ConfigPath.Member("clusters", cluster)}.tls";
        var problems = new ProblemList();
        if (config.Ca is { } ca)
        {
            if (TrustFile.TryLoad(ca, out X509Certificate2Collection? authorities, out string error)) Authorities = authorities;
            else problems.Add($"{path}.ca", $"{CharacterText.Quote(ca)} {error}");
        }
        if (config.Certificate is { } shown)
        {
            if (CertificateFile.TryLoad(shown, out ServerCertificate? certificate, out string error)) Certificate = certificate;
            else problems.Add($"{path}.certificate.file", $"{CharacterText.Quote(shown.File)} {error}");
        }
        if (problems.Problems.Count > 0) throw new ConfigException(problems.Problems);
        try
        {
            if (services.UsesOpenSsl) OpenSsl = new OpenSslClientContext(config, Authorities, Certificate);
        }
        catch (CryptographicException e)
        {
            problems.Add(path, $"cannot be used: {e.Message}");
            throw new ConfigException(problems.Problems);
        }
        if (!config.Verify) UpstreamTlsLog.NotVerified(Logger, cluster);
    }

    /// <summary>Whether it is made from the same, files included.</summary>
    internal bool IsSameAs(UpstreamTls other) =>
        Config == other.Config && Certificate?.Fingerprint == other.Certificate?.Fingerprint
        && (Authorities is null ? other.Authorities is null : other.Authorities is not null && Authorities.Select(one => one.Thumbprint).SequenceEqual(other.Authorities.Select(one => one.Thumbprint)));

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
