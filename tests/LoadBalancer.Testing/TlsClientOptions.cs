using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace LoadBalancer.Testing;

/// <summary>A hand-shake's options for tests.</summary>
public static class TlsClientOptions
{
    /// <summary>As a client that trusts anybody who shows a certificate: it is self-signed, and its names are the test's business.</summary>
    /// <param name="name">The server asked for; empty for none.</param>
    public static SslClientAuthenticationOptions TrustingAnybody(string name) => new()
    {
        TargetHost = name,
        CertificateChainPolicy = new X509ChainPolicy { VerificationFlags = X509VerificationFlags.AllFlags, RevocationMode = X509RevocationMode.NoCheck },
        RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null,
    };
}
