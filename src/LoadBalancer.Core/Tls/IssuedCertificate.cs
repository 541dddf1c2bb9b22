namespace LoadBalancer.Core.Tls;

/// <summary>The certificate that a listener was given for a name while it runs: see <see cref="ProxyServer.SetCertificate"/>.</summary>
internal sealed class IssuedCertificate(string name, TimeProvider time) : ShownCertificate
{
    private volatile Holding? _holding;

    private sealed record Holding(ServerCertificate Certificate, DateTimeOffset Since);

    internal override string File => $"acme:{name}";

    /// <summary>Null until there is one.</summary>
    internal ServerCertificate? Current => _holding?.Certificate;

    internal void Set(ServerCertificate? certificate)
    {
        _holding = certificate is null ? null : new Holding(certificate, time.GetUtcNow());
        Told = default; // its end is news
    }

    internal override (DateTimeOffset NotBefore, DateTimeOffset ExpiresAt)? Validity => Current is { } certificate ? (certificate.NotBefore, certificate.ExpiresAt) : null;

    internal override CertificateView? View(DateTimeOffset now) => _holding is { } holding ? View(holding.Certificate, now, holding.Since, problem: null) : null;
}
