using System.Numerics;

namespace LoadBalancer.Simulation.Chance;

/// <summary>
/// xoshiro256** (Blackman and Vigna 2018), the same numbers on every machine. Each part of a simulation draws from a stream of its own,
/// so that adding a part, or a policy that asks more often, does not shift what the others draw.
/// </summary>
internal sealed class SimRandom
{
    private const ulong GoldenRatio = 0x9E3779B97F4A7C15;
    private ulong _a, _b, _c, _d;
    private double _spareNormal = double.NaN;

    internal SimRandom(ulong seed, ChanceStream stream, int index = 0)
    {
        ulong state = Mix(Mix(Mix(seed + GoldenRatio) + (ulong)stream) + (ulong)index);
        _a = Mix(state += GoldenRatio);
        _b = Mix(state += GoldenRatio);
        _c = Mix(state += GoldenRatio);
        _d = Mix(state + GoldenRatio);
    }

    /// <summary>A given state, to compare with the reference.</summary>
    internal SimRandom(ulong a, ulong b, ulong c, ulong d) => (_a, _b, _c, _d) = (a, b, c, d);

    /// <summary>SplitMix64's finalizer: every input bit reaches every output bit.</summary>
    internal static ulong Mix(ulong x)
    {
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }

    internal ulong Next()
    {
        ulong result = BitOperations.RotateLeft(_b * 5, 7) * 9;
        ulong shifted = _b << 17;
        _c ^= _a;
        _d ^= _b;
        _b ^= _c;
        _a ^= _d;
        _c ^= shifted;
        _d = BitOperations.RotateLeft(_d, 45);
        return result;
    }

    /// <summary>From 0 to below <paramref name="bound"/>, by multiply and shift.</summary>
    internal int Next(int bound) => (int)((Next() >> 32) * (ulong)bound >> 32);

    /// <summary>From above 0 to 1, so that its logarithm is finite.</summary>
    internal double NextDouble() => ((Next() >> 11) + 1) * (1.0 / (1ul << 53));

    /// <summary>Exponential with mean 1.</summary>
    internal double NextExponential() => -PortableMath.Log(NextDouble());

    /// <summary>Normal with mean 0 and deviation 1 (Marsaglia's polar method, two at a time).</summary>
    internal double NextNormal()
    {
        if (!double.IsNaN(_spareNormal))
        {
            double spare = _spareNormal;
            _spareNormal = double.NaN;
            return spare;
        }
        while (true)
        {
            double x = 2 * NextDouble() - 1, y = 2 * NextDouble() - 1, square = x * x + y * y;
            if (square is >= 1 or 0) continue;
            double scale = Math.Sqrt(-2 * PortableMath.Log(square) / square); // IEEE 754 rounds a root correctly: the same everywhere
            _spareNormal = y * scale;
            return x * scale;
        }
    }
}

/// <summary>Parts of a simulation with a stream of chance of their own.</summary>
internal enum ChanceStream
{
    Arrivals = 1,
    Service = 2,
    Balancer = 3,
    Network = 4,
    Keys = 5,
    Antagonist = 6,
    Pause = 7,
    Failure = 8,
    Policy = 9,
}
