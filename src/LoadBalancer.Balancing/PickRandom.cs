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
    private Xoshiro256 _state;

    /// <summary>A repeatable source, or with null a source that is every thread's own.</summary>
    public PickRandom(ulong? seed)
    {
        _isSeeded = seed is not null;
        if (seed is { } value) _state = Xoshiro256.Seeded(value);
    }

    /// <summary>64 random bits.</summary>
    public ulong Next() => _isSeeded ? Step() : (t_own ?? MakeOwn()).Step();

    /// <summary>A number from 0 to below <paramref name="bound"/>, by multiply and shift: the bias is below 2⁻³².</summary>
    public int Next(int bound) => (int)((Next() >> 32) * (ulong)bound >> 32);

    /// <summary>From 0 to below 1.</summary>
    public double NextDouble() => (Next() >> 11) * (1.0 / (1ul << 53));

    private static PickRandom MakeOwn() => t_own = new PickRandom(BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)));

    private ulong Step()
    {
        ulong result = BitOperations.RotateLeft(_state.A + _state.D, 23) + _state.A;
        _state.Advance();
        return result;
    }
}
