using System.Net.Security;
using System.Security.Authentication;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Core.Tls;

/// <summary>Cipher suites of the policies, in order of preference: Mozilla's Server Side TLS recommendations, version 5.7.</summary>
internal static class TlsCiphers
{
    internal static readonly TlsCipherSuite[] Modern =
        [TlsCipherSuite.TLS_AES_128_GCM_SHA256, TlsCipherSuite.TLS_AES_256_GCM_SHA384, TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256];

    // Without the DHE suites of the recommendation: they need parameters of their own, and every client of the policy has ECDHE.
    internal static readonly TlsCipherSuite[] Intermediate =
    [
        .. Modern,
        TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, TlsCipherSuite.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ];

    private static readonly CipherSuitesPolicy? ModernSuites = OperatingSystem.IsLinux() ? new(Modern) : null, IntermediateSuites = OperatingSystem.IsLinux() ? new(Intermediate) : null;

    /// <summary>The suites of a policy for <see cref="SslStream"/>; null where it takes no list.</summary>
    internal static CipherSuitesPolicy? Suites(TlsPolicy policy) => policy == TlsPolicy.Modern ? ModernSuites : IntermediateSuites;

    /// <summary>The protocols of a policy for <see cref="SslStream"/>.</summary>
    internal static SslProtocols Protocols(TlsPolicy policy) => policy == TlsPolicy.Modern ? SslProtocols.Tls13 : SslProtocols.Tls12 | SslProtocols.Tls13;

    /// <summary><see cref="Modern"/> in OpenSSL's words.</summary>
    internal const string OpenSslTls13 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

    /// <summary>What <see cref="Intermediate"/> has more, in OpenSSL's words.</summary>
    internal const string OpenSslTls12 = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
        + "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
}
