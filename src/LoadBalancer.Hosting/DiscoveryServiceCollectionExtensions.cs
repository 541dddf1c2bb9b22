using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Discovery;
using LoadBalancer.Hosting.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Hosting;

/// <summary>The part of AddLoadBalancer that keeps the fleet current.</summary>
internal static class DiscoveryServiceCollectionExtensions
{
    /// <summary>Adds <see cref="FleetDiscovery"/>, which starts before what is added later. An <see cref="IDiscoveryObserver"/> of the container is told.</summary>
    internal static void AddDiscovery(this IServiceCollection services, LoadBalancerOptions options)
    {
        services.TryAddSingleton(provider => new DnsResolver(timeProvider: options.TimeProvider ?? provider.GetService<TimeProvider>()));
        services.AddSingleton(provider => new FleetDiscovery(
            provider.GetRequiredService<ProxyServer>(), options.Config, provider.GetRequiredService<ILoggerFactory>(), new DiscoveryOptions
            {
                Observer = provider.GetService<IDiscoveryObserver>(),
                TimeProvider = options.TimeProvider ?? provider.GetService<TimeProvider>(),
                FileReader = ReadFile,
                Resolver = provider.GetRequiredService<DnsResolver>(),
            }));
        LoadBalancerServiceCollectionExtensions.AddFollower(services, provider => new DiscoveryHostedService(provider));
    }

    /// <summary>Reads destinations in the form of the configuration file; of several problems the first.</summary>
    internal static IReadOnlyDictionary<string, DestinationConfig>? ReadFile(ReadOnlyMemory<byte> utf8, string fileName, out string problem)
    {
        IReadOnlyDictionary<string, DestinationConfig>? destinations = DestinationFile.Parse(utf8, fileName, out IReadOnlyList<ConfigDiagnostic> problems);
        problem = problems.Count == 0 ? "" : problems[0].ToString();
        return destinations;
    }
}
