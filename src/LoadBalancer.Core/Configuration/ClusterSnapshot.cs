using System.Text;
using LoadBalancer.Balancing;
using LoadBalancer.Core.Affinity;
using LoadBalancer.Core.Events;
using LoadBalancer.Core.Forwarding;
using LoadBalancer.Core.Health;
using LoadBalancer.Core.Probing;
using LoadBalancer.Core.Protection.Limits;
using LoadBalancer.Core.Tls;
using LoadBalancer.Core.Upstream;
using LoadBalancer.Http;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Core.Configuration;

/// <summary>A cluster: its settings, its changing members, and the scheduler over them, which has each <see cref="DestinationState"/> as a tag.</summary>
internal sealed class ClusterSnapshot
{
    private readonly StatusWatch _watch;
    private ClusterSnapshot? _before; // until it has taken over
    private readonly UpstreamTls? _newTls; // what it takes over with: the same, where nothing of that has changed

    /// <param name="name">In the configuration.</param>
    /// <param name="config">Validated.</param>
    /// <param name="services">Of the server.</param>
    /// <param name="before">The cluster of that name as it is; null for none. Nothing of it changes before <see cref="TakeOver"/>, which is owed then.</param>
    /// <exception cref="ConfigException">A file for TLS cannot be used any more.</exception>
    internal ClusterSnapshot(string name, ClusterConfig config, FleetServices services, ClusterSnapshot? before = null)
    {
        Name = name;
        Config = config;
        _before = before;
        Recent = before?.Recent ?? new AccessLog.RecentRing?[services.LoopCount];
        Bursts = before?.Bursts ?? new AccessLog.BurstTimes();
        HashSource = config.HashOn is { } hashOn && HashSource.TryParse(hashOn, out HashSource? source) ? source : null;
        // One that there was goes on, even if nothing new may enter it: who waits is served.
        Queue = before?.Queue ?? (config.Queue.RequestsMax == 0 ? null : new WaitQueue(config.Queue, services.LoopCount));
        ClusterConfig? was = before?.Config;
        bool isHostKept = was?.Host == config.Host;
        Shedding = was is not null && was.Concurrency == config.Concurrency ? before!.Shedding : config.Concurrency is { } concurrency ? new LoadShedding(name, concurrency, services) : null;
        HealthCheck = was is not null && isHostKept && was.HealthCheck == config.HealthCheck ? before!.HealthCheck : config.HealthCheck is { } check ? new HealthCheck(check, config.Host) : null;
        LoadProbing = was is not null && isHostKept && was.Probe == config.Probe ? before!.LoadProbing : config.Probe is { } probe ? new LoadProbing(probe, config.Host, services.LoopCount) : null;
        long now = services.Time.GetTimestamp();
        RetryBudget = was is not null && was.RetryBudget == config.RetryBudget ? before!.RetryBudget
            : new RetryBudget(config.RetryBudget.Percent / 100.0, config.RetryBudget.PerSecondMin, services.LoopCount, services.Time.TimestampFrequency, now);
        Hedging = was is not null && was.Hedge == config.Hedge ? before!.Hedging : config.Hedge is { } hedge ? new HedgePolicy(hedge, services) : null;
        if (before is null)
        {
            _watch = new StatusWatch(name, services.Logger) { Queue = Queue, Events = services.Events };
            Scheduler = new Scheduler(BalancingPolicies.Create(config.Balance), Options(config, services) with { Observer = _watch });
            Members = new ClusterMembers(name, config, Scheduler, services);
            Members.Set(ClusterMembers.Configured, config.Destinations, now);
            Health = new ClusterHealth((int)(HashKeys.Of(name) % (ulong)services.LoopCount)); // each cluster's checks are one loop's, so that they are spread
        }
        else
        {
            (_watch, Scheduler, Members, Health) = (before._watch, before.Scheduler, before.Members, before.Health);
            if (config.Tls is { } tls) _newTls = was!.Tls == tls && Members.Tls!.IsOfToday() ? Members.Tls : new UpstreamTls(name, tls, services);
        }
        Sticky = was is not null && was.Sticky == config.Sticky ? before!.Sticky : config.Sticky is { } sticky ? new StickySessions(name, sticky, Scheduler) : null;
        HeadLimits = new HeadLimits(config.ResponseHeadBytesMax, config.ResponseHeadBytesMax, config.ResponseHeaderCountMax);
        ConnectMilliseconds = (long)config.ConnectTimeout.TotalMilliseconds;
        ResponseHeadMilliseconds = (long)config.ResponseHeadTimeout.TotalMilliseconds;
        IdleMilliseconds = (long)config.IdleTimeout.TotalMilliseconds;
        TunnelIdleMilliseconds = (long)config.TunnelIdleTimeout.TotalMilliseconds;
        KeepsClientHost = config.Host == "client";
        HostOverride = config.Host is "client" or "destination" ? null : Encoding.ASCII.GetBytes(config.Host);
    }

    internal string Name { get; }

    /// <summary>Destinations ejected so far.</summary>
    internal long Ejections => _watch.Ejections;

    internal ClusterConfig Config { get; }

    /// <summary>The probes of its destinations.</summary>
    internal ClusterHealth Health { get; }

    /// <summary>The requests that have ended last, by loop: each element is its loop's.</summary>
    internal AccessLog.RecentRing?[] Recent { get; }

    /// <summary>When the log was told of failures last.</summary>
    internal AccessLog.BurstTimes Bursts { get; }
    internal ClusterMembers Members { get; }
    internal Scheduler Scheduler { get; }
    internal RetryBudget RetryBudget { get; }

    /// <summary>Null when requests are not hedged.</summary>
    internal HedgePolicy? Hedging { get; }

    /// <summary>Where requests wait for a destination; null when they do not.</summary>
    internal WaitQueue? Queue { get; }

    /// <summary>Null where nothing bounds what is under way in the whole cluster.</summary>
    internal LoadShedding? Shedding { get; }

    /// <summary>Null when destinations are not probed.</summary>
    internal HealthCheck? HealthCheck { get; }

    /// <summary>Null when destinations are not asked for their load.</summary>
    internal LoadProbing? LoadProbing { get; }
    internal HashSource? HashSource { get; }

    /// <summary>Null without sticky sessions.</summary>
    internal StickySessions? Sticky { get; }
    internal HeadLimits HeadLimits { get; }
    internal long ConnectMilliseconds { get; }
    internal long ResponseHeadMilliseconds { get; }
    internal long IdleMilliseconds { get; }
    internal long TunnelIdleMilliseconds { get; }
    internal bool KeepsClientHost { get; }

    /// <summary>A fixed Host value; null for the client's own or the destination's address.</summary>
    internal byte[]? HostOverride { get; }

    /// <summary>Whether any destination could be picked if it were not at its limit.</summary>
    internal bool HasDestination
    {
        get
        {
            foreach (Destination destination in Scheduler.Destinations)
                if (!destination.Status.HasFlag(DestinationStatus.Draining)) return true;
            return false;
        }
    }

    /// <summary>A destination has room: who waits gets it, also in a queue that the cluster has had only since a reload. Called after each pick is completed.</summary>
    internal void Freed() => _watch.Queue?.Freed();

    /// <summary>Takes the place of the cluster that it was made after: from here on picks go by this configuration. Returns the destinations whose connections are to be closed.</summary>
    /// <param name="services">Of the server.</param>
    /// <param name="servicesBefore">The same until now.</param>
    /// <param name="contexts">The loops.</param>
    /// <param name="now">Timestamp ticks.</param>
    internal IReadOnlyList<DestinationState> TakeOver(FleetServices services, FleetServices servicesBefore, LoopContext[] contexts, long now)
    {
        if (Queue is { } queue)
        {
            queue.Config = Config.Queue;
            if (_before?.Queue is null) foreach (LoopContext context in contexts) queue.Attach(context);
            _watch.Queue = queue;
        }
        if (_before is not { Config: var was }) return [];
        _before = null;
        if (IsScheduledOtherwise(was) || services.Zone != servicesBefore.Zone) Scheduler.Reconfigure(BalancingPolicies.Create(Config.Balance), Options(Config, services), now);
        return Members.Reconfigure(Config, _newTls, now);
    }

    /// <summary>Whether the cluster as a configuration has it is the one that is there: then it stays as it is.</summary>
    /// <exception cref="ConfigException">A file for TLS cannot be used any more.</exception>
    internal bool IsStill(ClusterConfig config) => Config == config && (config.Tls is null || Members.Tls!.IsOfToday());

    private bool IsScheduledOtherwise(ClusterConfig was) => was.Balance != Config.Balance || was.SlowStart != Config.SlowStart || was.PanicThresholdPercent != Config.PanicThresholdPercent || was.Ejection != Config.Ejection;

    private static SchedulerOptions Options(ClusterConfig config, FleetServices services) => new()
    {
        TimestampFrequency = services.Time.TimestampFrequency,
        SlowStart = config.SlowStart,
        Zone = services.Zone,
        PanicThreshold = config.PanicThresholdPercent / 100.0,
        Ejection = config.Ejection.Enabled ? Options(config.Ejection) : null,
    };

    private static EjectionOptions Options(EjectionConfig config) => new()
    {
        ConsecutiveFailures = config.ConsecutiveFailures,
        FailureShareMax = config.FailurePercentMax / 100.0,
        RequestsMin = config.RequestsMin,
        Window = config.Window,
        Duration = config.Duration,
        DurationMax = config.DurationMax,
        EjectedShareMax = config.EjectedPercentMax / 100.0,
    };
}

/// <summary>What the clusters of a running server share.</summary>
/// <param name="Time">The clock.</param>
/// <param name="LoopCount">Number of event loops.</param>
/// <param name="Logger">For what operators should know.</param>
/// <param name="Zone">The balancer's own; null for none.</param>
/// <param name="NameResolver">Looks up destinations' names.</param>
/// <param name="UsesOpenSsl">Which engine encrypts: see <see cref="Tls.TlsTermination.UsesOpenSsl"/>.</param>
internal sealed record FleetServices(TimeProvider Time, int LoopCount, ILogger Logger, string? Zone, INameResolver NameResolver, bool UsesOpenSsl)
{
    /// <summary>Where operators are told what happens.</summary>
    internal required ServerEvents Events { get; init; }
}
