using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Hosting.Configuration;

/// <summary>Relative paths in a configuration file start from its directory.</summary>
internal static class RootedPaths
{
    /// <summary>The configuration with the paths of its files made absolute.</summary>
    internal static ProxyConfig Apply(ProxyConfig config, string directory) => config with
    {
        Listeners = config.Listeners.ToDictionary(listener => listener.Key, listener => listener.Value with { Tls = Apply(listener.Value.Tls, directory) }, StringComparer.Ordinal),
        AddressLists = config.AddressLists.ToDictionary(list => list.Key, list => list.Value with { File = Rooted(list.Value.File, directory) }, StringComparer.Ordinal),
        Acme = config.Acme is { } acme ? acme with { Storage = Rooted(acme.Storage, directory)!, Trust = Rooted(acme.Trust, directory) } : null,
        AccessLog = config.AccessLog is { Path: not "stdout" } log && !log.Path.StartsWith("syslog:", StringComparison.Ordinal) ? log with { Path = Rooted(log.Path, directory)! } : config.AccessLog,
        Redis = config.Redis is { } redis ? redis with { Ca = Rooted(redis.Ca, directory) } : null,
        Caches = config.Caches.ToDictionary(cache => cache.Key, cache => Apply(cache.Value, directory), StringComparer.Ordinal),
        Policies = config.Policies.ToDictionary(policy => policy.Key, policy => policy.Value.InDirectory(directory), StringComparer.Ordinal),
        Clusters = config.Clusters.ToDictionary(cluster => cluster.Key, cluster => Apply(cluster.Value, directory), StringComparer.Ordinal),
    };

    private static TlsConfig? Apply(TlsConfig? tls, string directory) => tls is null ? null : tls with
    {
        Certificates = [.. tls.Certificates.Select(certificate => Apply(certificate, directory))],
        ClientCertificates = tls.ClientCertificates is { } clients ? clients with { Ca = Rooted(clients.Ca, directory)! } : null,
    };

    private static CacheConfig Apply(CacheConfig cache, string directory) => cache.Disk is not { } disk ? cache : cache with { Disk = disk with { Path = Rooted(disk.Path, directory)! } };

    private static ClusterConfig Apply(ClusterConfig cluster, string directory) => cluster with
    {
        Discover = [.. cluster.Discover.Select(source => Apply(source, directory))],
        Tls = Apply(cluster.Tls, directory),
    };

    private static DiscoverConfig Apply(DiscoverConfig source, string directory) => source with
    {
        File = Rooted(source.File, directory),
        Etcd = source.Etcd is { } etcd ? etcd with { Tls = Apply(etcd.Tls, directory) } : null,
        Kubernetes = source.Kubernetes is { } kubernetes ? kubernetes with { Kubeconfig = Rooted(kubernetes.Kubeconfig, directory) } : null,
    };

    private static UpstreamTlsConfig? Apply(UpstreamTlsConfig? tls, string directory) => tls is null ? null : tls with
    {
        Ca = Rooted(tls.Ca, directory),
        Certificate = tls.Certificate is { } certificate ? Apply(certificate, directory) : null,
    };

    private static CertificateConfig Apply(CertificateConfig certificate, string directory) =>
        certificate with { File = Rooted(certificate.File, directory)!, Key = Rooted(certificate.Key, directory), Ocsp = Rooted(certificate.Ocsp, directory) };

    // An empty path is left for the validator to find.
    private static string? Rooted(string? path, string directory) => string.IsNullOrEmpty(path) ? path : Path.Combine(directory, path);
}
