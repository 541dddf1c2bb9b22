namespace LoadBalancer.Core.Configuration;

/// <summary>Termination of TLS on a listener.</summary>
public sealed record TlsConfig
{
    /// <summary>
    /// The certificates. A client gets the one whose names (subject alternative names, also "*.example.com") match the name it asks for (SNI, RFC 6066 §3),
    /// else the first.
    /// </summary>
    public IReadOnlyList<CertificateConfig> Certificates { get; init => field = ConfigList<CertificateConfig>.Of(value); } = [];

    /// <summary>
    /// DNS names for which a certificate each is had from a certification authority by ACME and renewed in time, as <see cref="ProxyConfig.Acme"/> says. Until the first
    /// one is there its hand-shakes get another certificate of the listener, or are refused where there is none. Default none.
    /// </summary>
    public IReadOnlyList<string> Acme { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>Protocols and ciphers offered. Default <see cref="TlsPolicy.Intermediate"/>.</summary>
    public TlsPolicy Policy { get; init; } = TlsPolicy.Intermediate;

    /// <summary>Certificates of clients; null (default) when none is asked for.</summary>
    public ClientCertificateConfig? ClientCertificates { get; init; }

    /// <summary>Keeps clients on HTTPS, by redirects from plain HTTP and by HSTS; null (default) for neither.</summary>
    public HttpsOnlyConfig? HttpsOnly { get; init; }

    /// <summary>From the accept to the end of the hand-shake; then the connection is closed. Default 5 s (Kestrel: 10 s, nginx: 60 s).</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Most hand-shakes at once, over all loops, each from its first byte on; further ones are reset, so that a flood of them cannot take the processor from established
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

    /// <summary>
    /// File with an OCSP response for the certificate in DER, which is sent with it ("stapled"); somebody else keeps it fresh (openssl ocsp -respout). Null (default) for none.
    /// </summary>
    public string? Ocsp { get; init; }
}

/// <summary>Protocols and ciphers: Mozilla's Server Side TLS recommendations, version 5.7.</summary>
public enum TlsPolicy
{
    /// <summary>TLS 1.2 and 1.3, forward secrecy and authenticated encryption only: for clients of the last ten years.</summary>
    Intermediate,
    /// <summary>TLS 1.3 only.</summary>
    Modern,
}

/// <summary>Verification of clients by certificate ("mTLS"), and what destinations are told of it.</summary>
public sealed record ClientCertificateConfig
{
    /// <summary>PEM file with the certificates of the authorities whose clients are accepted, at least one of them a root.</summary>
    public required string Ca { get; init; }

    /// <summary>Whether a client without a certificate is served. Default <see cref="ClientCertificateMode.Required"/>.</summary>
    public ClientCertificateMode Mode { get; init; } = ClientCertificateMode.Required;

    /// <summary>
    /// The fields that tell destinations who the client is. Those that a client sends itself are dropped, on every listener of the server.
    /// Default <see cref="ClientCertificateFields.Subject"/> and <see cref="ClientCertificateFields.Fingerprint"/>.
    /// </summary>
    public ClientCertificateFields Forward { get; init; } = ClientCertificateFields.Subject | ClientCertificateFields.Fingerprint;
}

/// <summary>What a client must show.</summary>
public enum ClientCertificateMode
{
    /// <summary>A valid certificate, else the hand-shake fails.</summary>
    Required,
    /// <summary>None, or a valid certificate: one that is not valid fails the hand-shake.</summary>
    Optional,
}

/// <summary>Fields of a forwarded request about the client's verified certificate.</summary>
[Flags]
public enum ClientCertificateFields
{
    /// <summary>None.</summary>
    None = 0,
    /// <summary>Client-Cert-Subject: the distinguished name as RFC 4514 writes it.</summary>
    Subject = 1,
    /// <summary>Client-Cert-Fingerprint: SHA-256 over the certificate, in hexadecimal.</summary>
    Fingerprint = 2,
    /// <summary>Client-Cert: the certificate itself (RFC 9440 §2.2).</summary>
    Certificate = 4,
}
