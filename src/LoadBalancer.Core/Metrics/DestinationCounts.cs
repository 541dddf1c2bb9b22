using LoadBalancer.Balancing;

namespace LoadBalancer.Core.Metrics;

/// <summary>Attempts at one destination on one loop, whose thread alone writes. Any thread reads.</summary>
internal sealed class DestinationCounts
{
    internal readonly long[] ByOutcome = new long[DestinationTraffic.Outcomes.Count];
    internal readonly DurationCounts FirstBytes = new();
    private long _connects;

    internal long Connects => Volatile.Read(ref _connects);

    // Hot path: per attempt. 0 allocations.
    internal void Note(in PickOutcome outcome, long[] bounds)
    {
        ref long count = ref ByOutcome[(int)outcome.Kind];
        Volatile.Write(ref count, count + 1);
        if (outcome.FirstByteTicks >= 0) FirstBytes.Note(outcome.FirstByteTicks, bounds);
        if (outcome.ConnectTicks > 0) Volatile.Write(ref _connects, _connects + 1);
    }
}
