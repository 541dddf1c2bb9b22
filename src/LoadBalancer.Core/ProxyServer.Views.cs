using LoadBalancer.Balancing;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Upstream;

namespace LoadBalancer.Core;

// What an operator may see of a server. Not on the hot path; any thread.
public sealed partial class ProxyServer
{
    /// <summary>Whether it accepts requests: from the end of <see cref="StartAsync"/> until <see cref="StopAsync"/> begins. Thread-safe.</summary>
    public bool IsServing => Volatile.Read(ref _contexts).Length > 0 && !Volatile.Read(ref _stopped);

    /// <summary>Completes when each loop has come round once more: never, where one hangs. For watchdogs. Thread-safe.</summary>
    public Task WhenLoopsTurnAsync() => OnLoopsAsync(static _ => { });

    /// <summary>What it was made from.</summary>
    public ProxyConfig Config => Snapshot.Config;

    /// <summary>The members of a cluster at this moment, in the order they were given. Thread-safe.</summary>
    /// <exception cref="ArgumentException">There is no such cluster.</exception>
    public IReadOnlyList<DestinationView> DescribeDestinations(string cluster) => [.. Views(Cluster(cluster).Scheduler)];

    /// <summary>One member of a cluster at this moment; null when there is none of that name. Thread-safe.</summary>
    /// <exception cref="ArgumentException">There is no such cluster.</exception>
    public DestinationView? DescribeDestination(string cluster, string destination) =>
        Cluster(cluster).Members.Find(destination) is { } member ? View(Cluster(cluster).Scheduler, member, _time.GetTimestamp()) : null;

    /// <summary>The limits and what they have counted. Thread-safe.</summary>
    public IReadOnlyList<LimitView> DescribeLimits() => [.. Snapshot.Limiters.Select(limiter => new LimitView(limiter.Name, limiter.Config,
        [.. Snapshot.Routes.Where(route => route.Config.Limits.ContainsKey(limiter.Name)).Select(route => route.Name)], limiter.Capacity, limiter.AllowedTotal, limiter.RefusedTotal))];

    /// <summary>Clusters with a limit on what is under way, and what it has counted. Thread-safe.</summary>
    public IReadOnlyList<ConcurrencyView> DescribeConcurrency() => [.. Snapshot.Clusters.Where(cluster => cluster.Shedding is not null).Select(cluster => new ConcurrencyView(
        cluster.Name, cluster.Shedding!.Config, cluster.Shedding.Limit.Limit, cluster.Shedding.Limit.Outstanding, cluster.Shedding.AllowedTotal, cluster.Shedding.RefusedTotal))];

    /// <summary>How often each destination is picked, by name, when so many requests come one after the other, each over before the next. Draws on the live scheduler: for rehearsals.</summary>
    /// <exception cref="ArgumentException">There is no such cluster.</exception>
    public IReadOnlyDictionary<string, int> DrawPicks(string cluster, int count)
    {
        Scheduler scheduler = Cluster(cluster).Scheduler;
        var picks = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int i = 0; i < count; i++)
        {
            PickLease lease = scheduler.Pick(new PickContext(_time.GetTimestamp(), 0, (ulong)Random.Shared.NextInt64()));
            if (!lease.IsActive) break;
            string name = ((DestinationState)lease.Destination.Tag!).Name;
            picks[name] = picks.GetValueOrDefault(name) + 1;
            lease.Complete(new PickOutcome(PickOutcomeKind.Cancelled, -1, -1, 0));
        }
        return picks;
    }

    private IEnumerable<DestinationView> Views(Scheduler scheduler)
    {
        long now = _time.GetTimestamp();
        return scheduler.Destinations.Select(destination => View(scheduler, destination, now));
    }

    private DestinationView View(Scheduler scheduler, Destination destination, long now)
    {
        var state = (DestinationState)destination.Tag!;
        long until = destination.EjectedUntil;
        return new DestinationView(state.Name, state.Source, state.Config, destination.Status, destination.Outstanding)
        {
            IsPicked = destination.IsPicked,
            Score = scheduler.Describe(destination, now),
            Failures = destination.Failures,
            Connections = state.OpenConnections,
            EjectionLeft = until == long.MaxValue ? null : until <= now ? TimeSpan.Zero : _time.GetElapsedTime(now, until),
            History = state.History.List(),
        };
    }
}
