using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Discovery;

/// <summary>What <see cref="FleetDiscovery"/> works with. All of it has defaults, but for clusters with files.</summary>
public sealed record DiscoveryOptions
{
    /// <summary>Is told of every look. Null (default) for nobody.</summary>
    public IDiscoveryObserver? Observer { get; init; }

    /// <summary>Null (default) for the system's time.</summary>
    public TimeProvider? TimeProvider { get; init; }

    /// <summary>Reads files of destinations; needed when a cluster has a <see cref="DiscoverConfig.File"/>. LoadBalancer.Hosting has one for the form of the configuration.</summary>
    public DestinationFileReader? FileReader { get; init; }

    /// <summary>Looks up names of clusters without a <see cref="DiscoverConfig.Resolver"/>. Null (default): one that asks as the system does.</summary>
    public DnsResolver? Resolver { get; init; }

    /// <summary>Seed of the jitter of retries. Null (default) for one that differs each time.</summary>
    public int? Seed { get; init; }
}
