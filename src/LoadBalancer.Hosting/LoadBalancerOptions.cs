using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Hosting;

/// <summary>What an embedding program sets up. Read once, when the host starts.</summary>
public sealed class LoadBalancerOptions
{
    /// <summary>The configuration; validated when the host starts.</summary>
    public ProxyConfig Config { get; set; } = new();

    /// <summary>Receives a record for each request. Null (default): the <see cref="ICompletionObserver"/> of the container, if it has one.</summary>
    public ICompletionObserver? Observer { get; set; }

    /// <summary>Null (default): the <see cref="System.TimeProvider"/> of the container, or else the system's.</summary>
    public TimeProvider? TimeProvider { get; set; }

    /// <summary>Sets <see cref="Config"/> to one listener whose requests are spread over the given destinations.</summary>
    /// <param name="listen">As <see cref="ListenerConfig.Address"/>: ":8080".</param>
    /// <param name="to">Each as <see cref="DestinationConfig.Address"/>: "localhost:5000".</param>
    public void Forward(string listen, params IEnumerable<string> to) => Config = Forwarding(listen, to);

    /// <summary>One listener "web" and one cluster "all", whose destinations are named after their addresses.</summary>
    internal static ProxyConfig Forwarding(string listen, IEnumerable<string> to)
    {
        var destinations = new Dictionary<string, DestinationConfig>();
        foreach (string address in to) destinations[address] = new DestinationConfig { Address = address };
        return new ProxyConfig
        {
            Listeners = new Dictionary<string, ListenerConfig> { ["web"] = new() { Address = listen } },
            Routes = new Dictionary<string, RouteConfig> { ["all"] = new() { Cluster = "all" } },
            Clusters = new Dictionary<string, ClusterConfig> { ["all"] = new() { Destinations = destinations } },
        };
    }
}
