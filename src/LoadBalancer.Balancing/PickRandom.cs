using System.Numerics;
using System.Security.Cryptography;

namespace LoadBalancer.Balancing;

/// <summary>
/// Chance for pickers: xoshiro256++ (Blackman and Vigna, 2019), seeded with SplitMix64. With a seed it is one repeatable sequence, meant
/// for one thread; without, every thread has its own, so that no line of memory is shared.
/// </summary>
public sealed class PickRandom
{
    [ThreadStatic]
    private static PickRandom? t_own;

    private readonly bool _isSeeded;
    private ulong _a, _b, _c, _d;

    /// <summary>A repeatable source, or with null a source that is every thread's own.</summary>
    public PickRandom(ulong? seed)
    {
        _isSeeded = seed is not null;
        if (seed is { } value) Seed(value);
    }

    /// <summary>64 random bits.</summary>
    public ulong Next() => _isSeeded ? Step() : (t_own ?? MakeOwn()).Step();

    /// <summary>A number from 0 to below <paramref name="bound"/>, by multiply and shift: the bias is below 2⁻³².</summary>
    public int Next(int bound) => (int)((Next() >> 32) * (ulong)bound >> 32);

    /// <summary>From 0 to below 1.</summary>
    public double NextDouble() => (Next() >> 11) * (1.0 / (1ul << 53));

    private static PickRandom MakeOwn() => t_own = new PickRandom(BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)));

    private void Seed(ulong seed)
    {
        _a = HashKeys.Mix(seed += HashKeys.GoldenRatio);
        _b = HashKeys.Mix(seed += HashKeys.GoldenRatio);
        _c = HashKeys.Mix(seed += HashKeys.GoldenRatio);
        _d = HashKeys.Mix(seed + HashKeys.GoldenRatio);
    }

    private ulong Step()
    {
        ulong result = BitOperations.RotateLeft(_a + _d, 23) + _a;
        ulong shifted = _b << 17;
        _c ^= _a;
        _d ^= _b;
        _b ^= _c;
        _a ^= _d;
        _c ^= shifted;
        _d = BitOperations.RotateLeft(_d, 45);
        return result;
    }
}
