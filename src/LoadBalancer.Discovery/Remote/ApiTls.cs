using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Tls;

namespace LoadBalancer.Discovery.Remote;

/// <summary>Whom we believe to be an API's server, and what we show it.</summary>
/// <param name="Verify">False: whoever answers.</param>
/// <param name="Authorities">Null for the system's.</param>
/// <param name="ServerName">Null for the host of the address.</param>
/// <param name="Certificate">Null for none.</param>
/// <param name="Policy">Protocols and ciphers.</param>
internal sealed record ApiTls(bool Verify, X509Certificate2Collection? Authorities, string? ServerName, SslStreamCertificateContext? Certificate, TlsPolicy Policy = TlsPolicy.Intermediate)
{
    /// <summary>Reads what a configuration names, as it stands in the files now.</summary>
    /// <exception cref="ApiException">A file cannot be used.</exception>
    internal static ApiTls Load(UpstreamTlsConfig config)
    {
        X509Certificate2Collection? authorities = null;
        ServerCertificate? certificate = null;
        if (config.Ca is { } ca && !TrustFile.TryLoad(ca, out authorities, out string error)) throw new ApiException($"{ca} {error}");
        if (config.Certificate is { } shown && !CertificateFile.TryLoad(shown, out certificate, out error)) throw new ApiException($"{shown.File} {error}");
        return new ApiTls(config.Verify, authorities, config.ServerName, certificate?.Context, config.Policy);
    }

    /// <summary>For the client's handler.</summary>
    internal SslClientAuthenticationOptions Options() => new()
    {
        EnabledSslProtocols = TlsCiphers.Protocols(Policy),
        CipherSuitesPolicy = TlsCiphers.Suites(Policy),
        CertificateChainPolicy = ChainTrust.Policy(Authorities, ChainTrust.ServerAuthentication),
        ClientCertificateContext = Certificate,
        RemoteCertificateValidationCallback = (_, _, _, errors) => !Verify || errors == SslPolicyErrors.None,
    };
}
