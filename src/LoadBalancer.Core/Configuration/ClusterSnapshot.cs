using System.Text;
using LoadBalancer.Balancing;
using LoadBalancer.Core.Affinity;
using LoadBalancer.Core.Forwarding;
using LoadBalancer.Core.Health;
using LoadBalancer.Core.Probing;
using LoadBalancer.Core.Protection.Limits;
using LoadBalancer.Core.Upstream;
using LoadBalancer.Http;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Core.Configuration;

/// <summary>A cluster: its settings, its changing members, and the scheduler over them, which has each <see cref="DestinationState"/> as a tag.</summary>
internal sealed class ClusterSnapshot
{
    private readonly StatusWatch _watch;

    internal ClusterSnapshot(string name, ClusterConfig config, FleetServices services)
    {
        Name = name;
        Config = config;
        Recent = new AccessLog.RecentRing?[services.LoopCount];
        HashSource = config.HashOn is { } hashOn && HashSource.TryParse(hashOn, out HashSource? source) ? source : null;
        Queue = config.Queue.RequestsMax == 0 ? null : new WaitQueue(config.Queue.RequestsMax, config.Queue.Timeout, services.LoopCount);
        Shedding = config.Concurrency is { } concurrency ? new LoadShedding(name, concurrency, services) : null;
        HealthCheck = config.HealthCheck is { } check ? new HealthCheck(check, config.Host) : null;
        LoadProbing = config.Probe is { } probe ? new LoadProbing(probe, config.Host, services.LoopCount) : null;
        long now = services.Time.GetTimestamp();
        RetryBudget = new RetryBudget(config.RetryBudget.Percent / 100.0, config.RetryBudget.PerSecondMin, services.LoopCount, services.Time.TimestampFrequency, now);
        Hedging = config.Hedge is { } hedge ? new HedgePolicy(hedge, services) : null;
        Scheduler = new Scheduler(BalancingPolicies.Create(config.Balance), new SchedulerOptions
        {
            TimestampFrequency = services.Time.TimestampFrequency,
            SlowStart = config.SlowStart,
            Zone = services.Zone,
            PanicThreshold = config.PanicThresholdPercent / 100.0,
            Ejection = config.Ejection.Enabled ? Options(config.Ejection) : null,
            Observer = _watch = new StatusWatch(name, Queue, services.Logger),
        });
        Members = new ClusterMembers(name, config, Scheduler, services);
        Members.Set(ClusterMembers.Configured, config.Destinations, now);
        Sticky = config.Sticky is { } sticky ? new StickySessions(name, sticky, Scheduler) : null;
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

    /// <summary>The requests that have ended last, by loop: each element is its loop's.</summary>
    internal AccessLog.RecentRing?[] Recent { get; }

    /// <summary>When the log was told of failures last.</summary>
    internal AccessLog.BurstTimes Bursts { get; } = new();
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
internal sealed record FleetServices(TimeProvider Time, int LoopCount, ILogger Logger, string? Zone, INameResolver NameResolver, bool UsesOpenSsl);
