using LoadBalancer.Balancing;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Upstream;

namespace LoadBalancer.Core;

// What an operator may see of a server. Not on the hot path; any thread.
public sealed partial class ProxyServer
{
    /// <summary>Whether it accepts requests: from the end of <see cref="StartAsync"/> until <see cref="StopAsync"/> begins. Thread-safe.</summary>
    public bool IsServing => Volatile.Read(ref _contexts).Length > 0 && !Volatile.Read(ref _stopped);

    /// <summary>What it was made from.</summary>
    public ProxyConfig Config => _snapshot.Config;

    /// <summary>The members of a cluster at this moment, in the order they were given. Thread-safe.</summary>
    /// <exception cref="ArgumentException">There is no such cluster.</exception>
    public IReadOnlyList<DestinationView> DescribeDestinations(string cluster) => [.. Cluster(cluster).Scheduler.Destinations.Select(View)];

    /// <summary>One member of a cluster at this moment; null when there is none of that name. Thread-safe.</summary>
    /// <exception cref="ArgumentException">There is no such cluster.</exception>
    public DestinationView? DescribeDestination(string cluster, string destination) =>
        Cluster(cluster).Members.Find(destination) is { } member ? View(member) : null;

    private static DestinationView View(Destination destination)
    {
        var state = (DestinationState)destination.Tag!;
        return new DestinationView(state.Name, state.Source, state.Config, destination.Status, destination.Outstanding);
    }
}
