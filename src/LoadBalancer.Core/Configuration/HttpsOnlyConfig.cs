namespace LoadBalancer.Core.Configuration;

/// <summary>
/// Keeps clients of a listener on HTTPS: plain HTTP is redirected to it, and all its answers tell browsers not to try plain HTTP again
/// (Strict-Transport-Security, "HSTS", RFC 6797).
/// </summary>
public sealed record HttpsOnlyConfig
{
    /// <summary>
    /// Addresses (as <see cref="ListenerConfig.Address"/>) where plain HTTP is answered with a redirect (308) to the same host and path on this listener, and with
    /// nothing else. They have its limits and its PROXY protocol. Default none.
    /// </summary>
    public IReadOnlyList<string> RedirectFrom { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>Port that redirects name, where clients reach this listener by another than its own. 0 (default) for its own; 443 is left out of the URL.</summary>
    public int RedirectPort { get; init; }

    /// <summary>How long browsers keep to HTTPS after each answer; zero makes them forget. Default 365 days (hstspreload.org asks for that much).</summary>
    public TimeSpan MaxAge { get; init; } = TimeSpan.FromDays(365);

    /// <summary>Whether that holds for all names below the host's too, on whichever server they are. Default false.</summary>
    public bool IncludeSubDomains { get; init; }

    /// <summary>Consent to the lists that browsers are delivered with; hard to take back. Needs <see cref="IncludeSubDomains"/>. Default false.</summary>
    public bool Preload { get; init; }
}
