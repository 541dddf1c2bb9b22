namespace LoadBalancer.Core.Metrics;

/// <summary>Durations, counted by the first bound that they do not exceed. One loop's thread writes, any thread reads; a reader may see a duration in one count and not yet in another.</summary>
internal sealed class DurationCounts
{
    private readonly long[] _counts = new long[DurationView.Bounds.Count + 1];
    private long _ticks;

    /// <summary>The bounds in ticks of a clock.</summary>
    internal static long[] BoundsOf(TimeProvider time) => [.. DurationView.Bounds.Select(bound => (long)(bound * time.TimestampFrequency))];

    // Hot path: per request. 0 allocations.
    internal void Note(long ticks, long[] bounds)
    {
        int index = 0;
        while (index < bounds.Length && ticks > bounds[index]) index++;
        Volatile.Write(ref _counts[index], _counts[index] + 1);
        Volatile.Write(ref _ticks, _ticks + ticks);
    }

    internal void AddTo(long[] counts, ref long ticks)
    {
        for (int i = 0; i < counts.Length; i++) counts[i] += Volatile.Read(ref _counts[i]);
        ticks += Volatile.Read(ref _ticks);
    }
}
