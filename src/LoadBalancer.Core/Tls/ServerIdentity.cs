using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Tls.OpenSsl;

namespace LoadBalancer.Core.Tls;

/// <summary>A certificate with all a hand-shake needs, for the engine in use.</summary>
internal sealed class ServerIdentity
{
    /// <exception cref="System.Security.Cryptography.CryptographicException">OpenSSL does not take the certificate.</exception>
    internal ServerIdentity(ServerCertificate certificate, TlsPolicy policy, ClientVerification? clients, bool useOpenSsl)
    {
        Certificate = certificate;
        if (useOpenSsl) OpenSsl = new OpenSslContext(certificate, policy, clients);
        else Stream = StreamOptions(certificate, policy, clients);
    }

    internal ServerCertificate Certificate { get; }

    /// <summary>For <see cref="OpenSslConnection"/>; null where that is not used.</summary>
    internal OpenSslContext? OpenSsl { get; }

    /// <summary>For <see cref="SslStreamConnection"/>; null where that is not used.</summary>
    internal SslServerAuthenticationOptions? Stream { get; }

    private static SslServerAuthenticationOptions StreamOptions(ServerCertificate certificate, TlsPolicy policy, ClientVerification? clients) => new()
    {
        ServerCertificateContext = certificate.Context,
        ApplicationProtocols = [SslApplicationProtocol.Http11],
        EnabledSslProtocols = policy == TlsPolicy.Modern ? SslProtocols.Tls13 : SslProtocols.Tls12 | SslProtocols.Tls13,
        CipherSuitesPolicy = OperatingSystem.IsLinux() ? new CipherSuitesPolicy(policy == TlsPolicy.Modern ? TlsCiphers.Modern : TlsCiphers.Intermediate) : null,
        EncryptionPolicy = EncryptionPolicy.RequireEncryption,
        AllowRenegotiation = false,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        ClientCertificateRequired = clients is not null, // asked for; the verdict is the connection's
        CertificateChainPolicy = clients?.ChainPolicy(),
    };
}
