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
            new TextSpec(examples: ["${CERTIFICATE_PASSWORD}", "@file:password.txt"])!, c => c.Password, (c, v) => c with { Password = v }) { Secrecy = Secrecy.All },
        new FieldSpec<CertificateConfig, string?>("ocsp", "File with an OCSP response for it in DER, sent to clients that ask (stapling). Somebody else keeps it fresh. Left out: none.",
            new TextSpec(examples: ["site.ocsp.der"])!, c => c.Ocsp, (c, v) => c with { Ocsp = v }) { OtherNames = ["stapling", "ssl_stapling_file", "ocspFile", "ocspResponse"] })
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

    internal static readonly ObjectSpec<HttpsOnlyConfig> HttpsOnly = new(
        "httpsOnly", "Keeps clients on HTTPS: plain HTTP is redirected to it, and answers carry Strict-Transport-Security (HSTS, RFC 6797). A plain string is the only entry of \"redirectFrom\".",
        () => new HttpsOnlyConfig(),
        new FieldSpec<HttpsOnlyConfig, IReadOnlyList<string>>("redirectFrom",
            "Addresses where plain HTTP is answered with a redirect (308) to the same host and path on this listener, and with nothing else. Empty: none.",
            new TextListSpec(new TextSpec(examples: [":80"])), c => c.RedirectFrom, (c, v) => c with { RedirectFrom = v }) { OtherNames = ["redirect", "http", "address", "from"] },
        new FieldSpec<HttpsOnlyConfig, int>("redirectPort", "Port in the redirects, where clients reach this listener by another than its own. 0: its own.",
            new CountSpec(ConfigRanges.RedirectPort), c => c.RedirectPort, (c, v) => c with { RedirectPort = v }) { OtherNames = ["port", "httpsPort"] },
        new FieldSpec<HttpsOnlyConfig, TimeSpan>("maxAge", "How long browsers keep to HTTPS after each answer. 0 makes them forget.",
            new DurationSpec(ConfigRanges.StrictTransportMaxAge), c => c.MaxAge, (c, v) => c with { MaxAge = v }) { OtherNames = ["hsts", "stsSeconds", "max-age"] },
        new FieldSpec<HttpsOnlyConfig, bool>("includeSubDomains", "Whether that holds for all names below the host's too, on whichever server they are.",
            new FlagSpec(), c => c.IncludeSubDomains, (c, v) => c with { IncludeSubDomains = v }) { OtherNames = ["stsIncludeSubdomains", "includeSubdomains"] },
        new FieldSpec<HttpsOnlyConfig, bool>("preload", "Consent to the lists that browsers are delivered with; hard to take back. Needs \"includeSubDomains\" and a \"maxAge\" of 365d.",
            new FlagSpec(), c => c.Preload, (c, v) => c with { Preload = v }) { OtherNames = ["stsPreload"] })
    {
        FromText = text => new HttpsOnlyConfig { RedirectFrom = [text] },
    };

    internal static readonly ObjectSpec<TlsConfig> Tls = new(
        "tls", "Termination of TLS.", () => new TlsConfig(),
        new FieldSpec<TlsConfig, IReadOnlyList<CertificateConfig>>("certificates",
            "A client gets the one whose names match the name it asks for (SNI), else the first.",
            new ObjectListSpec<CertificateConfig>(Certificate), c => c.Certificates, (c, v) => c with { Certificates = v }) { IsRequired = true, RequiredUnless = "acme", OtherNames = ["certificate", "certs", "cert"] },
        new FieldSpec<TlsConfig, IReadOnlyList<string>>("acme",
            "DNS names for which a certificate each is had by ACME and renewed, as the top-level \"acme\" says. No wildcards.",
            new TextListSpec(new TextSpec(examples: ["example.com", "www.example.com"])), c => c.Acme, (c, v) => c with { Acme = v }) { OtherNames = ["letsencrypt", "autocert", "domains", "names", "certResolver"] },
        new FieldSpec<TlsConfig, TlsPolicy>("policy", "Protocols and ciphers (Mozilla 5.7). \"intermediate\": TLS 1.2 and 1.3; \"modern\": TLS 1.3 only.",
            new ChoiceSpec<TlsPolicy>(("intermediate", TlsPolicy.Intermediate), ("modern", TlsPolicy.Modern)), c => c.Policy, (c, v) => c with { Policy = v }) { OtherNames = ["protocols", "profile"] },
        new FieldSpec<TlsConfig, ClientCertificateConfig?>("clientCertificates", "Verification of clients by certificate (mTLS). Left out: none is asked for.",
            ClientCertificates!, c => c.ClientCertificates, (c, v) => c with { ClientCertificates = v }) { OtherNames = ["clientCertificate", "mtls", "clientAuth"] },
        new FieldSpec<TlsConfig, HttpsOnlyConfig?>("httpsOnly",
            "Keeps clients on HTTPS, by redirects from plain HTTP and by HSTS; a plain string is the address to redirect from. Left out: neither.",
            HttpsOnly!, c => c.HttpsOnly, (c, v) => c with { HttpsOnly = v }) { OtherNames = ["hsts", "redirectFrom", "redirect", "strictTransportSecurity", "forceHttps"] },
        new FieldSpec<TlsConfig, TimeSpan>("handshakeTimeout", "From the accept to the end of the hand-shake; then the connection is closed.",
            new DurationSpec(ConfigRanges.HandshakeTimeout), c => c.HandshakeTimeout, (c, v) => c with { HandshakeTimeout = v }),
        new FieldSpec<TlsConfig, int>("handshakesMax", "Most hand-shakes at once, over all loops, each from its first byte on; further ones are reset. 0 for no limit.",
            new CountSpec(ConfigRanges.HandshakesMax), c => c.HandshakesMax, (c, v) => c with { HandshakesMax = v }))
    {
        FromText = text => new TlsConfig { Certificates = [new CertificateConfig { File = text }] },
    };

    internal static readonly ObjectSpec<UpstreamTlsConfig> Upstream = new(
        "upstreamTls", "TLS to destinations. true stands for the defaults: verified against the system's authorities.", () => new UpstreamTlsConfig(),
        new FieldSpec<UpstreamTlsConfig, bool>("verify", "Whether destinations must prove by certificate who they are. false: encrypted, to whoever answers.",
            new FlagSpec(), c => c.Verify, (c, v) => c with { Verify = v }) { OtherNames = ["proxy_ssl_verify", "verifyCertificate"] },
        new FieldSpec<UpstreamTlsConfig, string?>("ca", "PEM with the authorities that are believed, at least one of them a root. Left out: the system's.",
            new TextSpec(examples: ["internal-ca.pem"])!, c => c.Ca, (c, v) => c with { Ca = v }) { OtherNames = ["caFile", "ca-file", "authorities", "proxy_ssl_trusted_certificate"] },
        new FieldSpec<UpstreamTlsConfig, string?>("serverName", "The name that the certificate must have and that is asked for (SNI). Left out: the host in each destination's address.",
            new TextSpec(examples: ["api.internal"])!, c => c.ServerName, (c, v) => c with { ServerName = v }) { OtherNames = ["sni", "name", "proxy_ssl_name"] },
        new FieldSpec<UpstreamTlsConfig, CertificateConfig?>("certificate", "Shown to destinations that ask for a certificate (mTLS). A plain string is its \"file\". Left out: none.",
            Certificate!, c => c.Certificate, (c, v) => c with { Certificate = v }) { OtherNames = ["cert", "crt", "clientCertificate", "proxy_ssl_certificate"] },
        new FieldSpec<UpstreamTlsConfig, TlsPolicy>("policy", "Protocols and ciphers (Mozilla 5.7). \"intermediate\": TLS 1.2 and 1.3; \"modern\": TLS 1.3 only.",
            new ChoiceSpec<TlsPolicy>(("intermediate", TlsPolicy.Intermediate), ("modern", TlsPolicy.Modern)), c => c.Policy, (c, v) => c with { Policy = v }) { OtherNames = ["protocols", "profile"] })
    {
        IsDefaultForTrue = true,
    };
}
