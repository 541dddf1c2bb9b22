namespace LoadBalancer.Core.Configuration;

/// <summary>TLS to destinations. The record with its defaults verifies against the system's authorities.</summary>
public sealed record UpstreamTlsConfig
{
    /// <summary>
    /// Whether a destination must prove by certificate who it is: default true (nginx: off). With false the connection is encrypted, to whoever answers; the
    /// balancer says so in its log at the start.
    /// </summary>
    public bool Verify { get; init; } = true;

    /// <summary>PEM file with the authorities that are believed, at least one of them a root. Null (default) for the system's.</summary>
    public string? Ca { get; init; }

    /// <summary>
    /// The name that the certificate must have, and that is asked for (SNI, RFC 6066 §3). An IP address is looked for in the certificate and not asked for.
    /// Null (default) for the host in each destination's address.
    /// </summary>
    public string? ServerName { get; init; }

    /// <summary>Shown to destinations that ask for a certificate. Null (default) for none.</summary>
    public CertificateConfig? Certificate { get; init; }

    /// <summary>Whether it depends on what stands in files.</summary>
    internal bool HasFiles => Ca is not null || Certificate is not null;

    /// <summary>Protocols and ciphers offered. Default <see cref="TlsPolicy.Intermediate"/>.</summary>
    public TlsPolicy Policy { get; init; } = TlsPolicy.Intermediate;
}
