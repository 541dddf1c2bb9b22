namespace LoadBalancer.Core;

/// <summary>A certificate that listeners use, at one moment. Times are UTC.</summary>
/// <param name="Kind">What it is for.</param>
/// <param name="Listeners">The listeners that use it.</param>
/// <param name="File">The file that it is named by in the configuration; "acme:" and the name for one that was given by <see cref="ProxyServer.SetCertificate"/>.</param>
/// <param name="Names">The names it is for; without any its subject. Of authorities the subjects of the first twenty.</param>
/// <param name="Issuer">Who has issued it.</param>
/// <param name="NotBefore">When it becomes valid.</param>
/// <param name="NotAfter">When it ends. Of authorities: when the last root does, after which no client is let in.</param>
/// <param name="ExpiresAt">As <paramref name="NotAfter"/>, or earlier where a certificate of the chain that is sent with it ends earlier.</param>
/// <param name="State">How near that is.</param>
/// <param name="Fingerprint">SHA-256, in hexadecimal.</param>
/// <param name="LoadedAt">When it was read.</param>
/// <param name="Problem">Why what stands in the files now is not used; null where it is.</param>
public sealed record CertificateView(CertificateKind Kind, IReadOnlyList<string> Listeners, string File, IReadOnlyList<string> Names, string Issuer,
    DateTimeOffset NotBefore, DateTimeOffset NotAfter, DateTimeOffset ExpiresAt, CertificateState State, string Fingerprint, DateTimeOffset LoadedAt, string? Problem);

/// <summary>What a certificate is for.</summary>
public enum CertificateKind
{
    /// <summary>A listener shows it to its clients.</summary>
    Server,
    /// <summary>A listener lets in clients whose certificates these authorities have issued.</summary>
    ClientAuthorities,
}

/// <summary>How near the end of a certificate is.</summary>
public enum CertificateState
{
    /// <summary>Far.</summary>
    Valid,
    /// <summary>It has not begun.</summary>
    NotYetValid,
    /// <summary>Less than 14 days, or the last third of a shorter life.</summary>
    ExpiresSoon,
    /// <summary>Less than 3 days, or the last tenth of a shorter life.</summary>
    ExpiresVerySoon,
    /// <summary>It is over: clients refuse it.</summary>
    Expired,
}
