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

    private readonly ProxyServer _server;
    private readonly DiscoveryOptions _options;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _changing = new(1);
    private readonly CancellationTokenSource _stop = new();
    private readonly HashSet<(string Cluster, string Key)> _leaving = []; // sources that are gone, whose destinations stay until those that took their place are known
    private Dictionary<(string Cluster, int Index), Following> _following;
    private bool _isStarted, _isDisposed;

    private sealed record Following(DiscoverConfig Config, SourceFollower Follower, CancellationTokenSource Stop)
    {
        internal Task Running { get; set; } = Task.CompletedTask;
    }

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
        _server = server;
        _options = options ?? new DiscoveryOptions();
        _logger = loggerFactory.CreateLogger<FleetDiscovery>();
        _following = Wanted(config).ToDictionary(one => one.Key, one => Follow(one.Key.Cluster, one.Key.Index, one.Value));
    }

    /// <summary>Begins to ask every source. The task ends when each has been asked once, well or not.</summary>
    public Task StartAsync()
    {
        _isStarted = true;
        foreach (Following one in _following.Values) Run(one);
        return Task.WhenAll(_following.Values.Select(one => one.Follower.First));
    }

    /// <summary>
    /// Goes by another configuration, which the server has by now: sources that are the same go on. Those that are gone take their destinations with them, once each new source of their
    /// cluster has answered: a change of a source never leaves its cluster without destinations.
    /// </summary>
    /// <exception cref="ArgumentException">A cluster has a file, and there is no <see cref="DiscoveryOptions.FileReader"/>; nothing has changed.</exception>
    public async Task ReconfigureAsync(ProxyConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        await _changing.WaitAsync().ConfigureAwait(false);
        try
        {
            if (_isDisposed) return;
            Dictionary<(string Cluster, int Index), DiscoverConfig> wanted = Wanted(config);
            var next = new Dictionary<(string Cluster, int Index), Following>();
            foreach (((string Cluster, int Index) key, DiscoverConfig discover) in wanted)
                next.Add(key, _following.TryGetValue(key, out Following? kept) && kept.Config == discover ? kept : Follow(key.Cluster, key.Index, discover, isSuccessor: true));
            foreach (((string Cluster, int Index) key, Following old) in _following)
            {
                Following? same = next.GetValueOrDefault(key);
                if (same == old) continue;
                await EndAsync(old).ConfigureAwait(false);
                if (same?.Follower.Key == old.Follower.Key) same.Follower.TakeOver(old.Follower);
                else _leaving.Add((key.Cluster, old.Follower.Key));
            }
            Following[] begun = [.. next.Values.Except(_following.Values)];
            _following = next;
            _leaving.RemoveWhere(left => !config.Clusters.ContainsKey(left.Cluster) || IsFollowed(left));
            if (_isStarted) foreach (Following one in begun) Run(one);
            foreach (string cluster in _leaving.Select(left => left.Cluster).Distinct().ToArray()) _ = ForgetAsync(cluster);
        }
        finally
        {
            _changing.Release();
        }
    }

    private bool IsFollowed((string Cluster, string Key) source) => _following.Any(one => one.Key.Cluster == source.Cluster && one.Value.Follower.Key == source.Key);

    private Task[] Awaited(string cluster) => [.. _following.Where(one => one.Key.Cluster == cluster && one.Value.Follower is { IsSuccessor: true, Found.IsCompleted: false }).Select(one => one.Value.Follower.Found)];

    // Ends with the destinations of sources that are gone, unless there was another change meanwhile: then that one's does it.
    private async Task ForgetAsync(string cluster)
    {
        await Task.WhenAll(Awaited(cluster)).ConfigureAwait(false);
        await _changing.WaitAsync().ConfigureAwait(false);
        try
        {
            if (_isDisposed || Awaited(cluster).Length > 0) return;
            foreach ((string Cluster, string Key) left in _leaving.Where(left => left.Cluster == cluster).ToArray())
            {
                _leaving.Remove(left);
                _server.UpdateDestinations(cluster, left.Key, new Dictionary<string, DestinationConfig>());
            }
        }
        catch (ArgumentException) // the cluster is gone with a reload that comes here next
        {
        }
        finally
        {
            _changing.Release();
        }
    }

    private static Dictionary<(string Cluster, int Index), DiscoverConfig> Wanted(ProxyConfig config) =>
        config.Clusters.SelectMany(cluster => cluster.Value.Discover.Select((discover, index) => ((cluster.Key, index), discover))).ToDictionary();

    private Following Follow(string cluster, int index, DiscoverConfig discover, bool isSuccessor = false) => new(
        discover, new SourceFollower(_server, cluster, index, discover, Source(discover, _options), _options, _logger) { IsSuccessor = isSuccessor }, CancellationTokenSource.CreateLinkedTokenSource(_stop.Token));

    private static void Run(Following one) => one.Running = one.Follower.RunAsync(one.Stop.Token);

    private static async Task EndAsync(Following one)
    {
        await one.Stop.CancelAsync().ConfigureAwait(false);
        await one.Running.ConfigureAwait(false);
        one.Stop.Dispose();
    }

    /// <summary>Ends it; the destinations that were found stay.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, true)) return; // by the host's stop, and by its container
        await _stop.CancelAsync().ConfigureAwait(false);
        await _changing.WaitAsync().ConfigureAwait(false); // a change under way ends first
        await Task.WhenAll(_following.Values.Select(EndAsync)).ConfigureAwait(false);
        _stop.Dispose();
        _changing.Release();
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
