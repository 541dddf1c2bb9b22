using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Hosting.Configuration;

/// <summary>Relative paths in a configuration file start from its directory.</summary>
internal static class RootedPaths
{
    /// <summary>The configuration with the paths of its files made absolute.</summary>
    internal static ProxyConfig Apply(ProxyConfig config, string directory) => config with
    {
        Listeners = config.Listeners.ToDictionary(listener => listener.Key, listener => listener.Value with { Tls = Apply(listener.Value.Tls, directory) }, StringComparer.Ordinal),
        Clusters = config.Clusters.ToDictionary(cluster => cluster.Key, cluster => Apply(cluster.Value, directory), StringComparer.Ordinal),
    };

    private static TlsConfig? Apply(TlsConfig? tls, string directory) => tls is null ? null : tls with
    {
        Certificates = [.. tls.Certificates.Select(certificate => certificate with { File = Rooted(certificate.File, directory)!, Key = Rooted(certificate.Key, directory) })],
        ClientCertificates = tls.ClientCertificates is { } clients ? clients with { Ca = Rooted(clients.Ca, directory)! } : null,
    };

    private static ClusterConfig Apply(ClusterConfig cluster, string directory) => cluster.Discover.Count == 0 ? cluster : cluster with
    {
        Discover = [.. cluster.Discover.Select(source => source with { File = Rooted(source.File, directory) })],
    };

    // An empty path is left for the validator to find.
    private static string? Rooted(string? path, string directory) => string.IsNullOrEmpty(path) ? path : Path.Combine(directory, path);
}
