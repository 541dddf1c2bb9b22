using System.Numerics;

namespace LoadBalancer.Balancing;

/// <summary>
/// A quantile of latencies observed lately: counts in buckets of an eighth of an octave, all halved whenever there are
/// <see cref="SamplesMax"/>, so that what was half that many requests ago counts half. Bounded in size, off by an eighth at most and always
/// upwards. One writer, who is also the reader: each loop has its own.
/// </summary>
public sealed class RecentQuantile
{
    /// <summary>Fewest samples that say anything about a tail.</summary>
    public const int SamplesMin = 100;

    /// <summary>Samples after which all counts are halved.</summary>
    public const int SamplesMax = 2048;

    private const int Bits = 3, PerOctave = 1 << Bits, RefreshEvery = 32;
    private const long TicksMax = 1L << 60; // 36 years of nanoseconds
    private readonly int[] _counts = new int[(64 - Bits) * PerOctave];
    private readonly double _above;
    private int _samples, _sinceRefresh;

    /// <summary>An empty one.</summary>
    /// <param name="quantile">Part of the latencies to stay within, above 0 and below 1.</param>
    public RecentQuantile(double quantile) => _above = 1 - quantile;

    /// <summary>Latency in ticks that the part given stays within; -1 with fewer than <see cref="SamplesMin"/> samples.</summary>
    public long Value { get; private set; } = -1;

    /// <summary>Adds a latency. Of one that was not waited for to its end, the time waited: it counts right as long as that is above <see cref="Value"/>.</summary>
    // Hot path: per request of clusters that hedge by quantile. 0 allocations; every 32nd time a walk over the buckets in use.
    public void Record(long ticks)
    {
        _counts[BucketOf(Math.Clamp(ticks, 0, TicksMax))]++;
        if (++_samples < SamplesMin || (++_sinceRefresh < RefreshEvery && Value >= 0)) return;
        _sinceRefresh = 0;
        Value = Find();
        if (_samples >= SamplesMax) Halve();
    }

    private long Find()
    {
        int allowed = (int)(_above * _samples), above = 0, bucket = _counts.Length - 1;
        while (bucket > 0 && (above += _counts[bucket]) <= allowed) bucket--;
        return HighEndOf(bucket);
    }

    private void Halve()
    {
        _samples = 0;
        foreach (ref int count in _counts.AsSpan())
        {
            count >>= 1;
            _samples += count;
        }
    }

    // Below 2^4 a bucket is a tick wide; then the leading bit gives the octave and the next three the place in it.
    private static int BucketOf(long ticks)
    {
        int shift = Math.Max(0, 63 - BitOperations.LeadingZeroCount((ulong)ticks | 1) - Bits);
        return shift * PerOctave + (int)(ticks >> shift);
    }

    private static long HighEndOf(int bucket)
    {
        if (bucket < 2 * PerOctave) return bucket;
        int shift = bucket / PerOctave - 1;
        return ((long)(bucket - shift * PerOctave + 1) << shift) - 1;
    }
}
