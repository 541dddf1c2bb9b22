using System.Net;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Caching;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Events;
using LoadBalancer.Core.Metrics;
using LoadBalancer.Core.Protection;
using LoadBalancer.Core.Tls;
using LoadBalancer.Core.Transport;
using LoadBalancer.Core.Upstream;

namespace LoadBalancer.Core;

// Another configuration while it runs. Whoever changes anything holds the lock; requests see the old snapshot or the new one.
public sealed partial class ProxyServer
{
    private readonly Lock _reloading = new();
    private SnapshotRetirement? _retirement; // the last

    /// <summary>
    /// Goes by another configuration. Everything is checked first, and addresses that are new are bound: where anything is wrong, nothing has changed. Then only what is not the same
    /// is touched: listeners of the same address keep their sockets and connections, clusters their members of other sources, what was learned of them and connections to them, limits
    /// their counts, caches what they hold, policies what they know. Requests that are under way end as they began, WebSockets and TCP connections live on; a kept connection goes by
    /// the new configuration from its next request on, and one of a listener that is gone ends when it is idle. Thread-safe.
    /// </summary>
    /// <param name="config">All of it.</param>
    /// <returns>What has changed, once every loop goes by it.</returns>
    /// <exception cref="ConfigException">It has problems; all of them are listed.</exception>
    /// <exception cref="ListenException">An address cannot be bound.</exception>
    /// <exception cref="InvalidOperationException">The server is not running.</exception>
    public async Task<ReloadResult> ReloadAsync(ProxyConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        ReloadResult result;
        Task done;
        lock (_reloading)
        {
            if (!IsServing || _isLeaving) throw new InvalidOperationException("the server is not running");
            result = CompareTo(config);
            done = Replace(Effective(config));
        }
        await done.ConfigureAwait(false);
        _certificates.TryReload();
        _addressLists.TryReload();
        return result;
    }

    /// <summary>Checks another configuration as <see cref="ReloadAsync"/> does, and says what would change. Binds nothing; changes nothing. Thread-safe.</summary>
    /// <exception cref="ConfigException">It has problems; all of them are listed.</exception>
    public ReloadResult TryOut(ProxyConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        ProxyConfig effective = Effective(config);
        ProxySnapshot snapshot = Snapshot;
        var problems = new List<ConfigProblem>(ConfigValidator.Validate(
            effective, new CertificateStore(TlsTermination.UsesOpenSsl(effective.Transport.Kind), _time, snapshot.Certificates), new Protection.Addresses.AddressListStore(effective, _time, snapshot.AddressLists)));
        problems.AddRange(Unchangeable(snapshot.Config, effective));
        return problems.Count > 0 ? throw new ConfigException(problems) : CompareTo(config);
    }

    /// <summary>Has records go to another observer from here on; once the task has ended, the one before gets no more. Thread-safe.</summary>
    public async Task SetObserverAsync(ICompletionObserver? observer)
    {
        Volatile.Write(ref _observer, observer);
        await OnLoopsAsync(context => context.Observer = observer).ConfigureAwait(false);
    }

    private ReloadResult CompareTo(ProxyConfig config)
    {
        return new(ConfigChange.Between(Snapshot.Config, config), [.. ConfigChange.Between(Effective(config), config).Select(change => change.Path)]);
    }

    // Tables, loops and the way in for operators are made once.
    private ProxyConfig Effective(ProxyConfig config)
    {
        ProxyConfig was = Snapshot.Config;
        return config with { BansMax = was.BansMax, RecentRequests = was.RecentRequests, Transport = was.Transport, Admin = was.Admin, Tracing = was.Tracing };
    }

    private static IEnumerable<ConfigProblem> Unchangeable(ProxyConfig was, ProxyConfig now)
    {
        foreach ((string name, ListenerConfig listener) in now.Listeners)
        {
            ListenerConfig? same = was.Listeners.Values.FirstOrDefault(one => one.Address == listener.Address);
            if (same is not null && same.DualStack != listener.DualStack)
                yield return new(ConfigPath.Member("listeners", name) + ".dualStack", "cannot be changed while the address is served; restart, or take another address");
        }
        foreach ((string name, CacheConfig cache) in now.Caches)
        {
            CacheConfig? same = was.Caches.Values.FirstOrDefault(one => one.Disk is not null && one.Disk.Path == cache.Disk?.Path);
            if (same is not null && (same.Disk != cache.Disk || was.Caches.GetValueOrDefault(name) != same))
                yield return new(ConfigPath.Member("caches", name) + ".disk", "cannot be changed while the folder is in use; restart, or take another folder");
        }
    }

    // Under the lock. What can fail comes first.
    private Task Replace(ProxyConfig config)
    {
        ProxySnapshot before = _snapshot;
        var unchangeable = Unchangeable(before.Config, config).ToList();
        if (unchangeable.Count > 0) throw new ConfigException(unchangeable);
        FleetServices services = _services with { Zone = ZoneOf(config) };
        ProxySnapshot next = ProxySnapshot.Build(config, services, before);
        ListenerSnapshot[] added = [.. next.Listeners.Where(listener => listener.State.Socket is null)];
        ResponseStore[] opened = [.. next.Stores.Except(before.Stores)];
        try
        {
            if (!IsServing) throw new InvalidOperationException("the server has been stopped meanwhile");
            foreach (ListenerSnapshot listener in added) Bind(listener);
            foreach (ResponseStore store in opened) store.Open(_time, _logger);
        }
        catch
        {
            foreach (ListenerSnapshot listener in added) listener.State.Socket?.Dispose();
            foreach (IDisposable made in next.MadeSince(before)) made.Dispose();
            throw;
        }

        ListenerState[] removed = [.. before.Listeners.Select(listener => listener.State).Except(next.Listeners.Select(listener => listener.State))];
        List<DestinationState> gone = TakeOverClusters(next, before, services);
        foreach (RouteState route in before.Routes.Select(route => route.State).Except(next.Routes.Select(route => route.State))) route.IsGone = true;
        TakeOverCertificates(next);
        SetCacheRoutes(next);
        foreach (ResponseStore store in before.Stores.Except(next.Stores)) store.HandOn(next.Stores.FirstOrDefault(one => one.Name == store.Name));
        BodyMemory.BytesMax = config.PolicyBodyBytesMax;
        if (IsAutoBanOther(before, next)) Refusals.AutoBan = AutoBanOf(next);
        IDisposable[] left = [.. before.Disposables.Except(next.Disposables)];
        SnapshotRetirement retirement = _retirement = new SnapshotRetirement([.. left.Except(before.Inherited)], [.. left.Intersect(before.Inherited)], LoopCount, OnInternalError, _retirement);
        next.Inherited = [.. next.Disposables.Intersect(before.Disposables)];
        _services = services;
        Volatile.Write(ref _snapshot, next);
        foreach (ListenerSnapshot listener in next.Listeners)
        {
            if (!added.Contains(listener)) listener.State.Socket!.Apply(OptionsOf(listener));
            listener.State.Current = listener;
        }
        foreach (ListenerState listener in removed) listener.Current = null;
        NoteEndpoints();
        Guard.OnChanged(); // who was let in by the rules of before is looked at again
        _certificates.Follow(next.Certificates, Terminations(next));
        _addressLists.Follow(next.AddressLists);
        return FollowAsync(before, next, added, removed, gone, retirement);
    }

    private List<DestinationState> TakeOverClusters(ProxySnapshot next, ProxySnapshot before, FleetServices services)
    {
        var gone = new List<DestinationState>();
        long now = _time.GetTimestamp();
        foreach (ClusterSnapshot cluster in next.Clusters.Except(before.Clusters)) gone.AddRange(cluster.TakeOver(services, _services, _contexts, now));
        foreach (ClusterSnapshot cluster in before.Clusters)
            if (!Array.Exists(next.Clusters, one => one.Name == cluster.Name)) gone.AddRange(cluster.Members.Present);
        return gone;
    }

    private async Task FollowAsync(ProxySnapshot before, ProxySnapshot next, ListenerSnapshot[] added, ListenerState[] removed, List<DestinationState> gone, SnapshotRetirement retirement)
    {
        await OnLoopsAsync(context =>
        {
            int loop = context.Loop.Index;
            foreach (ListenerSnapshot listener in added) context.Loop.StartAccepting(listener.State.Socket!, new ConnectionStarter(context, listener.State));
            foreach (ListenerState listener in removed) context.Loop.StopAccepting(listener.Socket!);
            foreach (DestinationState destination in gone) destination.Retire(context);
            foreach (ClusterSnapshot cluster in before.Clusters)
                if (cluster.Health.Loop == loop && !Array.Exists(next.Clusters, one => one.Health == cluster.Health)) cluster.Health.Stop();
            FollowHealth(context);
            context.FollowListeners();
            context.Traffic.Forget();
            before.Retire(loop, retirement);
        }).ConfigureAwait(false);
        foreach (ListenerState listener in removed) listener.Socket!.Dispose(); // once no loop accepts from it
        foreach (ClusterSnapshot cluster in next.Clusters) cluster.Queue?.Freed(); // there may be room
    }

    private static bool IsAutoBanOther(ProxySnapshot before, ProxySnapshot next) =>
        before.Config.AutoBan != next.Config.AutoBan || !Equals(before.Config.AddressLists, next.Config.AddressLists) || !Equals(before.Config.Listeners, next.Config.Listeners);

    private AutoBan? AutoBanOf(ProxySnapshot snapshot) => snapshot.Config.AutoBan is { } autoBan ? new AutoBan(autoBan, snapshot, Guard, _time, _logger) { Events = new BanEvents(Events, _time) } : null;

    private static TlsTermination[] Terminations(ProxySnapshot snapshot) => [.. snapshot.Listeners.Select(listener => listener.Tls).OfType<TlsTermination>()];

    private static void TakeOverCertificates(ProxySnapshot snapshot)
    {
        snapshot.Certificates.TakeOver();
        foreach (TlsTermination termination in Terminations(snapshot)) termination.TakeOver(snapshot.Certificates);
    }

    private static void SetCacheRoutes(ProxySnapshot snapshot)
    {
        foreach (ResponseStore store in snapshot.Stores) store.Routes = [.. snapshot.Routes.Select(route => route.Cache).OfType<RouteCache>().Where(cache => cache.Store == store)];
    }

    private static string? ZoneOf(ProxyConfig config) => string.IsNullOrEmpty(config.Zone) ? null : config.Zone;

    // Ends when each loop has done it.
    private Task OnLoopsAsync(Action<LoopContext> action) => Task.WhenAll(Array.ConvertAll(Volatile.Read(ref _contexts), context =>
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        context.Loop.Post(new LoopAction(() =>
        {
            try
            {
                action(context);
            }
            finally
            {
                done.SetResult();
            }
        }));
        return done.Task;
    }));
}
