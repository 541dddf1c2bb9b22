namespace LoadBalancer.Core.Tls;

/// <summary>A certificate that listeners use, or authorities of their clients, wherever it comes from: what operators are told of. Read by any thread.</summary>
internal abstract class ShownCertificate
{
    private IReadOnlyList<string> _listeners = [];

    /// <summary>What it is named by: its file, or where there is none what it was ordered for.</summary>
    internal abstract string File { get; }

    /// <summary>The listeners that use it.</summary>
    internal IReadOnlyList<string> Listeners
    {
        get => Volatile.Read(ref _listeners);
        set => Volatile.Write(ref _listeners, value);
    }

    /// <summary>When it was last told that what is in use ends, and what was told.</summary>
    internal (CertificateState State, DateTimeOffset At) Told { get; set; }

    /// <summary>From when to when what is in use can be used; null where there is nothing yet.</summary>
    internal abstract (DateTimeOffset NotBefore, DateTimeOffset ExpiresAt)? Validity { get; }

    /// <summary>What an operator may see of it; null where there is nothing yet.</summary>
    internal abstract CertificateView? View(DateTimeOffset now);

    private protected CertificateView View(ServerCertificate certificate, DateTimeOffset now, DateTimeOffset loadedAt, string? problem) =>
        new(CertificateKind.Server, [.. Listeners], File, certificate.Names.Count > 0 ? certificate.Names : [certificate.Leaf.Subject],
            certificate.Leaf.Issuer, certificate.NotBefore, certificate.NotAfter, certificate.ExpiresAt,
            CertificateValidity.StateAt(now, certificate.NotBefore, certificate.ExpiresAt), certificate.Fingerprint, loadedAt, problem);
}
