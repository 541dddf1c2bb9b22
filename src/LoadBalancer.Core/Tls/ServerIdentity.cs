using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Tls.OpenSsl;

namespace LoadBalancer.Core.Tls;

/// <summary>A certificate with all a hand-shake needs, for the engine in use.</summary>
internal sealed class ServerIdentity
{
    /// <exception cref="System.Security.Cryptography.CryptographicException">OpenSSL does not take the certificate.</exception>
    internal ServerIdentity(ServerCertificate certificate, TlsPolicy policy, ClientVerification? clients, bool isHttp, bool useOpenSsl)
    {
        Certificate = certificate;
        if (useOpenSsl) OpenSsl = new OpenSslServerContext(certificate, policy, clients, isHttp);
        else Stream = StreamOptions(certificate, policy, clients, isHttp);
    }

    internal ServerCertificate Certificate { get; }

    /// <summary>For <see cref="OpenSslServerConnection"/>; null where that is not used.</summary>
    internal OpenSslServerContext? OpenSsl { get; }

    /// <summary>For <see cref="SslStreamServerConnection"/>; null where that is not used.</summary>
    internal SslServerAuthenticationOptions? Stream { get; }

    private static SslServerAuthenticationOptions StreamOptions(ServerCertificate certificate, TlsPolicy policy, ClientVerification? clients, bool isHttp) => new()
    {
        ServerCertificateContext = certificate.Context,
        ApplicationProtocols = isHttp ? [SslApplicationProtocol.Http11] : null,
        EnabledSslProtocols = TlsCiphers.Protocols(policy),
        CipherSuitesPolicy = TlsCiphers.Suites(policy),
        EncryptionPolicy = EncryptionPolicy.RequireEncryption,
        AllowRenegotiation = false,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        ClientCertificateRequired = clients is not null, // asked for; the verdict is the connection's
        CertificateChainPolicy = clients?.ChainPolicy(),
    };
}
