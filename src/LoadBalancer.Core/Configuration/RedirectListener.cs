namespace LoadBalancer.Core.Configuration;

/// <summary>The listeners that a listener's <see cref="HttpsOnlyConfig.RedirectFrom"/> stands for.</summary>
internal static class RedirectListener
{
    /// <summary>"web-redirect", then "web-redirect-2" and so on.</summary>
    internal static string Name(string listener, int index) => index == 0 ? $"{listener}-redirect" : $"{listener}-redirect-{index + 1}";

    /// <summary>
    /// As the listener itself, without TLS. Nobody is trusted there: the word of a proxy that a request came by https could only lead in circles.
    /// </summary>
    internal static IEnumerable<(string Name, ListenerConfig Config)> Of(string name, ListenerConfig listener) =>
        (listener.Tls?.HttpsOnly?.RedirectFrom ?? []).Select((address, i) => (Name(name, i), listener with { Address = address, Tls = null, TrustedProxies = [] }));
}
