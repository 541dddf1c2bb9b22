using LoadBalancer.Balancing;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Http;

namespace LoadBalancer.Core.Forwarding;

/// <summary>How a cluster hedges: when, how much of it, and what came of it. Loops share the budget and the counts, which a hedge touches only.</summary>
internal sealed class HedgePolicy
{
    /// <summary>A quantile below this is not waited for any more exactly than the clock of the timers goes.</summary>
    internal const long QuantileMillisecondsMin = 2;

    private const double PerSecondMin = 0.1; // a token at the start, and after 10 quiet seconds: a cluster that is asked rarely is hedged too

    private readonly long _fixedMilliseconds;
    private readonly double _millisecondsPerTick;
    private readonly RecentQuantile[]? _firstBytes; // by loop; null where the time is fixed
    private long _sent, _won, _denied;

    internal HedgePolicy(HedgeConfig config, FleetServices services)
    {
        if (!HedgeDelay.TryParse(config.After, out HedgeDelay delay)) throw new FormatException(config.After);
        _fixedMilliseconds = (long)delay.Fixed.TotalMilliseconds;
        _millisecondsPerTick = 1000.0 / services.Time.TimestampFrequency;
        if (delay.Quantile > 0)
        {
            _firstBytes = new RecentQuantile[services.LoopCount];
            for (int i = 0; i < _firstBytes.Length; i++) _firstBytes[i] = new RecentQuantile(delay.Quantile);
        }
        Budget = new RetryBudget(config.PercentMax / 100.0, PerSecondMin, services.LoopCount, services.Time.TimestampFrequency, services.Time.GetTimestamp());
    }

    /// <summary>Hedges are bounded as retries are, from a budget of their own.</summary>
    internal RetryBudget Budget { get; }

    /// <summary>Hedges sent, over all loops. Any thread.</summary>
    internal long SentCount => Volatile.Read(ref _sent);

    /// <summary>Hedges that answered the client.</summary>
    internal long WonCount => Volatile.Read(ref _won);

    /// <summary>Hedges that were due, but beyond the budget.</summary>
    internal long DeniedCount => Volatile.Read(ref _denied);

    // RFC 9110 §9.2.1: safe, so that two destinations may do it. TRACE is not worth it.
    internal static bool Covers(RequestHead request) =>
        request.Method is RequestMethod.Get or RequestMethod.Head or RequestMethod.Options && !request.HasBody && !request.IsUpgrade;

    /// <summary>How long to wait for the first byte, in milliseconds; -1 while too little is known.</summary>
    // Hot path: per request of clusters that hedge. 0 allocations. AllocationTests.KeepAliveRequest_OfAClusterThatHedges_AllocatesNothing
    internal long DelayMilliseconds(LoopContext context)
    {
        if (_firstBytes is null) return _fixedMilliseconds;
        long ticks = _firstBytes[context.Loop.Index].Value;
        return ticks < 0 ? -1 : Math.Max(QuantileMillisecondsMin, (long)Math.Ceiling(ticks * _millisecondsPerTick));
    }

    /// <summary>Takes in the time to the first byte of an answer that a hedge could have sought, but did not give.</summary>
    internal void Learn(Exchange exchange)
    {
        if (_firstBytes is null || exchange.Record.HasHedgeWon || !Covers(exchange.Request)) return;
        long before = exchange.Lease.StartTimestamp - exchange.Record.StartTimestamp;
        Learn(exchange.Context, exchange.Record.FirstByteTicks - before);
    }

    /// <summary>The time to the first byte, or until nobody waited for it any more.</summary>
    internal void Learn(LoopContext context, long ticks) => _firstBytes?[context.Loop.Index].Record(ticks);

    internal void CountSent() => Interlocked.Increment(ref _sent);

    internal void CountWon() => Interlocked.Increment(ref _won);

    internal void CountDenied() => Interlocked.Increment(ref _denied);
}
