using LoadBalancer.Admin.Registration;
using LoadBalancer.Admin.Routing;
using LoadBalancer.Balancing;
using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Admin.Endpoints;

/// <summary><c>/clusters</c></summary>
internal sealed class ClusterEndpoints(ProxyServer proxy, Registry registry)
{
    internal Task List(AdminExchange exchange, CancellationToken aborted)
    {
        var clusters = new List<ClusterEntry>();
        foreach ((string name, ClusterConfig config) in proxy.Config.Clusters)
        {
            registry.Apply(name);
            IReadOnlyList<DestinationView> destinations;
            try
            {
                destinations = proxy.DescribeDestinations(name);
            }
            catch (ArgumentException)
            {
                continue; // a reload has just taken it away
            }
            clusters.Add(new ClusterEntry(name, config.Balance, config.Registration, destinations.Count,
                destinations.Count(d => d.Status == DestinationStatus.Eligible), destinations.Sum(d => d.Outstanding)));
        }
        return exchange.Json(200, new ClusterList(clusters), AdminJson.Default.ClusterList);
    }
}

internal sealed record ClusterList(IReadOnlyList<ClusterEntry> Clusters);

internal sealed record ClusterEntry(string Name, string Balance, bool Registration, int Destinations, int Usable, int Outstanding);
