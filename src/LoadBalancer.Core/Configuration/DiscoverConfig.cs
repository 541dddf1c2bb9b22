namespace LoadBalancer.Core.Configuration;

/// <summary>Where further destinations of a cluster come from while running. Exactly one of <see cref="Dns"/>, <see cref="Srv"/>, <see cref="File"/>, <see cref="Etcd"/> and <see cref="Kubernetes"/> is set.</summary>
public sealed record DiscoverConfig
{
    /// <summary>"name:port": each address of the name is a destination.</summary>
    public string? Dns { get; init; }

    /// <summary>
    /// Name of SRV records, as "_http._tcp.api.internal": each address of their targets is a destination with the record's port. The records' priorities become
    /// tiers in their order, their weights weights; 0 means little (RFC 2782).
    /// </summary>
    public string? Srv { get; init; }

    /// <summary>A file with a map of destinations, as the cluster's own, or a list of them. Relative to the configuration file, or else to the current directory.</summary>
    public string? File { get; init; }

    /// <summary>Keys of etcd, watched.</summary>
    public EtcdConfig? Etcd { get; init; }

    /// <summary>The pods of a service of Kubernetes, watched.</summary>
    public KubernetesConfig? Kubernetes { get; init; }

    /// <summary>Name server to ask instead of the system's: "10.0.0.2:53". Null (default): those of /etc/resolv.conf.</summary>
    public string? Resolver { get; init; }

    /// <summary>Shortest time from one look-up to the next, whatever the TTL; of etcd and Kubernetes, to the first further attempt after one that failed. Default 1 s.</summary>
    public TimeSpan IntervalMin { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Longest time from one look-up to the next, whatever the TTL; of etcd and Kubernetes, between attempts that fail. After so long without a word of etcd's watch
    /// everything is read again. Default 60 s.
    /// </summary>
    public TimeSpan IntervalMax { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Tier of what DNS or Kubernetes finds, as <see cref="DestinationConfig.Tier"/>; of SRV records, that of the best priority; of etcd, where a value says none. Default 0.</summary>
    public int Tier { get; init; }

    /// <summary>Limit of requests for each destination that DNS or Kubernetes finds, as <see cref="DestinationConfig.RequestsMax"/>; of etcd, where a value says none. Default 0: none.</summary>
    public int RequestsMax { get; init; }
}
