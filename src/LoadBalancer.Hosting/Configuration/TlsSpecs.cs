using LoadBalancer.Core.Configuration;
using LoadBalancer.Hosting.Configuration.Specs;

namespace LoadBalancer.Hosting.Configuration;

/// <summary>Descriptors of <see cref="TlsConfig"/> and its parts.</summary>
internal static class TlsSpecs
{
    internal static readonly ObjectSpec<CertificateConfig> Certificate = new(
        "certificate", "A certificate with its key and chain. A plain string is the \"file\".", () => new CertificateConfig { File = "" },
        new FieldSpec<CertificateConfig, string>("file", "PEM with the certificate and the chain above it, or PKCS #12 (.pfx, .p12).",
            new TextSpec(examples: ["site.pem", "site.pfx"]), c => c.File, (c, v) => c with { File = v }) { IsRequired = true, OtherNames = ["cert", "crt", "certificate", "path"] },
        new FieldSpec<CertificateConfig, string?>("key", "File with the private key in PEM. Left out: it stands in \"file\".",
            new TextSpec(examples: ["site.key"])!, c => c.Key, (c, v) => c with { Key = v }) { OtherNames = ["keyFile", "privateKey"] },
        new FieldSpec<CertificateConfig, string?>("password", "Password of the key or of the PKCS #12 file.",
            new TextSpec(examples: ["${CERTIFICATE_PASSWORD}", "@file:password.txt"])!, c => c.Password, (c, v) => c with { Password = v }))
    {
        FromText = text => new CertificateConfig { File = text },
    };

    internal static readonly ObjectSpec<ClientCertificateConfig> ClientCertificates = new(
        "clientCertificates", "Verification of clients by certificate. A plain string is the \"ca\".", () => new ClientCertificateConfig { Ca = "" },
        new FieldSpec<ClientCertificateConfig, string>("ca", "PEM with the authorities whose clients are accepted, at least one of them a root.",
            new TextSpec(examples: ["clients.pem"]), c => c.Ca, (c, v) => c with { Ca = v }) { IsRequired = true, OtherNames = ["caFile", "ssl_client_certificate", "authorities"] },
        new FieldSpec<ClientCertificateConfig, ClientCertificateMode>("mode", "\"required\": a valid certificate or no connection; \"optional\": none, or a valid one.",
            new ChoiceSpec<ClientCertificateMode>(("required", ClientCertificateMode.Required), ("optional", ClientCertificateMode.Optional)), c => c.Mode, (c, v) => c with { Mode = v })
            { OtherNames = ["verify", "ssl_verify_client"] },
        new FieldSpec<ClientCertificateConfig, ClientCertificateFields>("forward",
            "Fields that tell destinations of the certificate: \"subject\" Client-Cert-Subject, \"fingerprint\" Client-Cert-Fingerprint (SHA-256), \"certificate\" Client-Cert (RFC 9440).",
            new FlagsSpec<ClientCertificateFields>(("subject", ClientCertificateFields.Subject), ("fingerprint", ClientCertificateFields.Fingerprint), ("certificate", ClientCertificateFields.Certificate)),
            c => c.Forward, (c, v) => c with { Forward = v }) { OtherNames = ["headers", "header"] })
    {
        FromText = text => new ClientCertificateConfig { Ca = text },
    };

    internal static readonly ObjectSpec<TlsConfig> Tls = new(
        "tls", "Termination of TLS.", () => new TlsConfig(),
        new FieldSpec<TlsConfig, IReadOnlyList<CertificateConfig>>("certificates",
            "A client gets the one whose names match the name it asks for (SNI), else the first.",
            new ObjectListSpec<CertificateConfig>(Certificate), c => c.Certificates, (c, v) => c with { Certificates = v }) { IsRequired = true, OtherNames = ["certificate", "certs", "cert"] },
        new FieldSpec<TlsConfig, TlsPolicy>("policy", "Protocols and ciphers (Mozilla 5.7). \"intermediate\": TLS 1.2 and 1.3; \"modern\": TLS 1.3 only.",
            new ChoiceSpec<TlsPolicy>(("intermediate", TlsPolicy.Intermediate), ("modern", TlsPolicy.Modern)), c => c.Policy, (c, v) => c with { Policy = v }) { OtherNames = ["protocols", "profile"] },
        new FieldSpec<TlsConfig, ClientCertificateConfig?>("clientCertificates", "Verification of clients by certificate (mTLS). Left out: none is asked for.",
            ClientCertificates!, c => c.ClientCertificates, (c, v) => c with { ClientCertificates = v }) { OtherNames = ["clientCertificate", "mtls", "clientAuth"] },
        new FieldSpec<TlsConfig, TimeSpan>("handshakeTimeout", "From the accept to the end of the hand-shake; then the connection is closed.",
            new DurationSpec(ConfigRanges.HandshakeTimeout), c => c.HandshakeTimeout, (c, v) => c with { HandshakeTimeout = v }),
        new FieldSpec<TlsConfig, int>("handshakesMax", "Most hand-shakes at once, over all loops; further connections are closed on accept. 0 for no limit.",
            new CountSpec(ConfigRanges.HandshakesMax), c => c.HandshakesMax, (c, v) => c with { HandshakesMax = v }))
    {
        FromText = text => new TlsConfig { Certificates = [new CertificateConfig { File = text }] },
    };
}
