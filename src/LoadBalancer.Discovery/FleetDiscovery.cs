using System.Net;
using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Discovery.Kubernetes;
using LoadBalancer.Discovery.Sources;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Discovery;

/// <summary>
/// Keeps the members of a server's clusters at what their <see cref="ClusterConfig.Discover"/> finds: one task for each source. A source that does not
/// answer changes nothing, however long. Started and stopped once.
/// </summary>
public sealed class FleetDiscovery : IAsyncDisposable
{
    /// <summary>Most destinations of one source; those beyond are left out.</summary>
    public const int DestinationsMax = 10_000;

    private readonly SourceFollower[] _followers;
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;
    private bool _isDisposed;

    /// <summary>Makes it; nothing is asked yet.</summary>
    /// <param name="server">Whose clusters are kept.</param>
    /// <param name="config">The configuration of that server.</param>
    /// <param name="loggerFactory">Where it logs.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ArgumentException">A cluster has a file, and there is no <see cref="DiscoveryOptions.FileReader"/>.</exception>
    public FleetDiscovery(ProxyServer server, ProxyConfig config, ILoggerFactory loggerFactory, DiscoveryOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(server);
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(loggerFactory);
        options ??= new DiscoveryOptions();
        ILogger logger = loggerFactory.CreateLogger<FleetDiscovery>();
        _followers = [.. config.Clusters.SelectMany(cluster => cluster.Value.Discover.Select((discover, index) =>
            new SourceFollower(server, cluster.Key, index, discover, Source(discover, options), options, logger)))];
    }

    /// <summary>Begins to ask every source. The task ends when each has been asked once, well or not.</summary>
    public Task StartAsync()
    {
        _running = Task.WhenAll(_followers.Select(follower => follower.RunAsync(_stop.Token)));
        return Task.WhenAll(_followers.Select(follower => follower.First));
    }

    /// <summary>Ends it; the destinations that were found stay.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, true)) return; // by the host's stop, and by its container
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        _stop.Dispose();
    }

    /// <summary>The source that a configuration describes.</summary>
    internal static IDestinationSource Source(DiscoverConfig discover, DiscoveryOptions options)
    {
        if (discover.File is { } file)
            return new FileSource(file, options.FileReader ?? throw new ArgumentException("a cluster has a file of destinations, which needs a FileReader", nameof(options)), discover.IntervalMin);
        if (discover.Etcd is { } etcd) return new EtcdSource(etcd, discover, options.TimeProvider ?? TimeProvider.System);
        if (discover.Kubernetes is { } kubernetes) return new KubernetesSource(kubernetes, discover, PodEnvironment.Own, options.TimeProvider ?? TimeProvider.System, options.Seed is { } seed ? new Random(seed) : new Random());
        DnsResolver resolver = discover.Resolver is { } address && DiscoverValidator.TryParseServer(address, out IPEndPoint server)
            ? new DnsResolver(server, options.TimeProvider)
            : options.Resolver ?? new DnsResolver(server: null, options.TimeProvider);
        return discover.Dns is not null ? new DnsSource(discover, resolver) : new SrvSource(discover, resolver);
    }
}
