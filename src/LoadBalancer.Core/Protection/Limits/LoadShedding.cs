using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Forwarding;
using LoadBalancer.Core.Http1;
using LoadBalancer.Limiting.Concurrency;

namespace LoadBalancer.Core.Protection.Limits;

/// <summary>
/// What a cluster has under way at most, for all its destinations together: see <see cref="ConcurrencyConfig"/>. Comes before the queue; what waits there is under way,
/// and its wait counts as latency, so that a queue that grows lowers the limit.
/// </summary>
internal sealed class LoadShedding
{
    private readonly string _cluster;
    private readonly LimitCounts[] _counts;

    internal LoadShedding(string cluster, ConcurrencyConfig config, FleetServices services)
    {
        _cluster = cluster;
        Config = config;
        _counts = new LimitCounts[services.LoopCount];
        Limit = new AdaptiveLimit(new AdaptiveLimitOptions
        {
            InitialLimit = config.InitialOrDefault,
            LimitMin = config.Min,
            LimitMax = config.Max,
            Tolerance = 1 + config.TolerancePercent / 100.0,
            WindowTicks = (long)(config.Window.TotalSeconds * services.Time.TimestampFrequency),
        });
    }

    internal ConcurrencyConfig Config { get; }

    internal AdaptiveLimit Limit { get; }

    /// <summary>Requests let through since the start. Any thread.</summary>
    internal long AllowedTotal => LimitCounts.AllowedSum(_counts);

    /// <summary>Requests refused, or that would have been.</summary>
    internal long RefusedTotal => LimitCounts.RefusedSum(_counts);

    /// <summary>Lets a request in, which then owes <see cref="Leave"/>. False when it is turned away; then the answer is under way.</summary>
    // Hot path: per request of a cluster with a limit. 0 allocations. AllocationTests.KeepAliveRequest_OfARouteWithLimits_AllocatesNothing
    internal bool TryEnter(Exchange exchange, LoadPriority priority, out ValueTask answer)
    {
        answer = default;
        int loop = exchange.Context.Loop.Index;
        if (Limit.TryEnter(priority))
        {
            LimitCounts.Count(ref _counts[loop].Allowed);
            exchange.Shedding = this;
            return true;
        }
        LimitCounts.Count(ref _counts[loop].Refused);
        exchange.Context.Server.Refusals.Note(exchange.Record, EndReason.LoadShed, _cluster, Config.DryRun);
        if (Config.DryRun) return true;
        answer = Responses.ErrorAsync(exchange, 503, EndReason.LoadShed, retryAfterSeconds: 1);
        return false;
    }

    /// <summary>A request that was let in has ended, or has become a tunnel, which is no load of this kind.</summary>
    internal void Leave(Exchange exchange, long now)
    {
        exchange.Shedding = null;
        Limit.Leave(LatencyOf(exchange.Record, now - exchange.Record.StartTimestamp), now);
    }

    // Until the first byte: how fast a client takes the rest is no matter of load. What fails at once would look fast, and says nothing.
    private static long LatencyOf(CompletionRecord record, long total) => record.Reason switch
    {
        EndReason.Completed when record.Status is < 500 and not 429 => record.FirstByteTicks,
        EndReason.UpstreamConnectTimeout or EndReason.UpstreamHeadTimeout or EndReason.QueueTimeout => total,
        EndReason.DeadlineExceeded when record.FirstByteTicks < 0 => total,
        _ => -1,
    };
}
