namespace LoadBalancer.Identity.Certificates;

/// <summary>What of a certificate is the subject.</summary>
public enum CertificateSubject
{
    /// <summary>The common name, the last of the subject's.</summary>
    CommonName,
    /// <summary>The first DNS name (RFC 5280 §4.2.1.6).</summary>
    Dns,
    /// <summary>The first URI: SPIFFE's id.</summary>
    Uri,
    /// <summary>The first e-mail address.</summary>
    Email,
    /// <summary>The whole distinguished name (RFC 4514).</summary>
    DistinguishedName,
    /// <summary>SHA-256 of the certificate.</summary>
    Fingerprint,
}
