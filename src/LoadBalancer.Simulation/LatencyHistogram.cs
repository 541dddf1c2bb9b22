using System.Numerics;

namespace LoadBalancer.Simulation;

/// <summary>Counts of times in nanoseconds, in buckets of 1/512 of their magnitude: three digits.</summary>
public sealed class LatencyHistogram
{
    private const int SubBits = 9, Sub = 1 << SubBits;
    private readonly long[] _counts = new long[(64 - SubBits) * Sub];
    private double _sum;

    /// <summary>Number of values.</summary>
    public long Count { get; private set; }

    /// <summary>Largest value.</summary>
    public long Max { get; private set; }

    /// <summary>Mean, exact.</summary>
    public double Mean => Count == 0 ? 0 : _sum / Count;

    /// <summary>Counts a value, 0 or more.</summary>
    public void Add(long value)
    {
        _counts[IndexOf(value)]++;
        Count++;
        _sum += value;
        if (value > Max) Max = value;
    }

    /// <summary>The value that a part of all does not exceed: 0.99 for the 99th percentile.</summary>
    public long Quantile(double part)
    {
        long rank = (long)Math.Ceiling(part * Count), seen = 0;
        for (int i = 0; i < _counts.Length; i++)
        {
            seen += _counts[i];
            if (seen >= rank && seen > 0) return Math.Min(Max, Upper(i));
        }
        return Max;
    }

    private static int IndexOf(long value)
    {
        if (value < Sub) return (int)value;
        int shift = BitOperations.Log2((ulong)value) - SubBits;
        return (shift << SubBits) + (int)(value >> shift);
    }

    private static long Upper(int index)
    {
        if (index < 2 * Sub) return index;
        int shift = (index >> SubBits) - 1;
        return ((long)((index & (Sub - 1)) + Sub + 1) << shift) - 1;
    }
}
