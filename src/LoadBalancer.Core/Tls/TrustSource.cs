using System.Security.Cryptography.X509Certificates;

namespace LoadBalancer.Core.Tls;

/// <summary>The authorities of a listener's clients and their file.</summary>
internal sealed class TrustSource(string file, TimeProvider time) : TlsFileSource([file], time)
{
    private const int NamesMax = 20;

    private sealed record Authorities(X509Certificate2Collection All, X509Certificate2 LastRoot);

    private volatile Authorities? _current;

    /// <summary>The last that could be used; null before there were any.</summary>
    internal X509Certificate2Collection? Current => _current?.All;

    private protected override bool TryTake(byte[][] contents, out string error)
    {
        if (!TrustFile.TryParse(contents[0], out X509Certificate2Collection? authorities, out error)) return false;
        // What counts is when the last root has expired: no client is let in from then on. In bundles some always have.
        _current = new Authorities(authorities, authorities.Where(TrustFile.IsRoot).MaxBy(root => root.NotAfter)!);
        return true;
    }

    internal override (DateTimeOffset NotBefore, DateTimeOffset ExpiresAt)? Validity =>
        _current is { LastRoot: { } root } ? (CertificateValidity.Utc(root.NotBefore), CertificateValidity.Utc(root.NotAfter)) : null;

    internal override CertificateView? View(DateTimeOffset now)
    {
        if (_current is not { } current || Validity is not var (notBefore, notAfter)) return null;
        return new CertificateView(CertificateKind.ClientAuthorities, [.. Listeners], File, [.. current.All.Take(NamesMax).Select(one => one.Subject)],
            current.LastRoot.Issuer, notBefore, notAfter, notAfter, CertificateValidity.StateAt(now, notBefore, notAfter), CertificateValidity.Fingerprint(current.LastRoot), LoadedAt, Problem);
    }
}
