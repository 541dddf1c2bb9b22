namespace LoadBalancer.Core.Configuration;

/// <summary>Termination of TLS on a listener.</summary>
public sealed record TlsConfig
{
    /// <summary>
    /// The certificates. A client gets the one whose names (subject alternative names, also "*.example.com") match the name it asks for (SNI, RFC 6066 §3),
    /// else the first.
    /// </summary>
    public IReadOnlyList<CertificateConfig> Certificates { get; init; } = [];

    /// <summary>Protocols and ciphers offered. Default <see cref="TlsPolicy.Intermediate"/>.</summary>
    public TlsPolicy Policy { get; init; } = TlsPolicy.Intermediate;

    /// <summary>From the accept to the end of the hand-shake; then the connection is closed. Default 5 s (Kestrel: 10 s, nginx: 60 s).</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Most hand-shakes at once, over all loops; further connections are closed on accept, so that a flood of them cannot take the processor from established
    /// connections. 0 for no limit. Default 1000.
    /// </summary>
    public int HandshakesMax { get; init; } = 1000;
}

/// <summary>A certificate with its key and chain.</summary>
public sealed record CertificateConfig
{
    /// <summary>File: PEM with the certificate and the chain above it, or PKCS #12 (.pfx, .p12).</summary>
    public required string File { get; init; }

    /// <summary>File with the private key in PEM. Null (default) when it stands in <see cref="File"/>.</summary>
    public string? Key { get; init; }

    /// <summary>Password of the key or of the PKCS #12 file. Null (default) for none.</summary>
    public string? Password { get; init; }
}

/// <summary>Protocols and ciphers: Mozilla's Server Side TLS recommendations, version 5.7.</summary>
public enum TlsPolicy
{
    /// <summary>TLS 1.2 and 1.3, forward secrecy and authenticated encryption only: for clients of the last ten years.</summary>
    Intermediate,
    /// <summary>TLS 1.3 only.</summary>
    Modern,
}
