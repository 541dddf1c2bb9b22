using System.Numerics;

namespace LoadBalancer.Simulation.Results;

/// <summary>
/// Counts of latencies in buckets that are linear within each power of two, like HdrHistogram: 256 to an octave, so that a quantile is off
/// by 0.4 % at most. Recording is one increment; histograms of equal kind add up.
/// </summary>
public sealed class LatencyHistogram
{
    private const int Bits = 8, PerOctave = 1 << Bits;
    private readonly long[] _counts = new long[(64 - Bits) * PerOctave];

    /// <summary>Latencies recorded.</summary>
    public long Count { get; private set; }

    /// <summary>Their sum, in nanoseconds.</summary>
    public double Sum { get; private set; }

    /// <summary>The largest, exactly, in nanoseconds.</summary>
    public long Max { get; private set; }

    /// <summary>Mean in nanoseconds; 0 without any.</summary>
    public double Mean => Count == 0 ? 0 : Sum / Count;

    internal void Record(long nanoseconds)
    {
        Count++;
        Sum += nanoseconds;
        if (nanoseconds > Max) Max = nanoseconds;
        _counts[BucketOf(nanoseconds)]++;
    }

    internal void Add(LatencyHistogram other)
    {
        Count += other.Count;
        Sum += other.Sum;
        Max = Math.Max(Max, other.Max);
        for (int i = 0; i < _counts.Length; i++) _counts[i] += other._counts[i];
    }

    /// <summary>Latency in nanoseconds that this part of all stays within; 0 without any.</summary>
    /// <param name="quantile">0 to 1.</param>
    public double Quantile(double quantile)
    {
        if (Count == 0) return 0;
        double rank = quantile * Count, seen = 0;
        for (int i = 0; i < _counts.Length; i++)
        {
            if (_counts[i] == 0) continue;
            if (seen + _counts[i] >= rank)
            {
                // In proportion between the bucket's ends.
                double low = LowEndOf(i), width = LowEndOf(i + 1) - low;
                return Math.Min(Max, low + width * Math.Max(0, rank - seen) / _counts[i]);
            }
            seen += _counts[i];
        }
        return Max;
    }

    // Below 2^9 a bucket is a nanosecond wide; then the leading bit gives the octave and the next eight the place in it.
    private static int BucketOf(long value)
    {
        int shift = Math.Max(0, 63 - BitOperations.LeadingZeroCount((ulong)value | 1) - Bits);
        return shift * PerOctave + (int)(value >> shift);
    }

    private static double LowEndOf(int bucket)
    {
        if (bucket < 2 * PerOctave) return bucket;
        int shift = bucket / PerOctave - 1;
        return (double)(bucket - shift * PerOctave) * (1L << shift);
    }
}
