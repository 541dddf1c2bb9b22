using System.Numerics;
using LoadBalancer.Balancing;

namespace LoadBalancer.Simulation.Chance;

/// <summary>
/// xoshiro256** (Blackman and Vigna 2018), the same numbers on every machine. Each part of a simulation draws from a stream of its own,
/// so that adding a part, or a policy that asks more often, does not shift what the others draw.
/// </summary>
internal sealed class SimRandom
{
    private Xoshiro256 _state;
    private double _spareNormal = double.NaN;

    internal SimRandom(ulong seed, ChanceStream stream, int index = 0) =>
        _state = Xoshiro256.Seeded(HashKeys.Mix(HashKeys.Mix(HashKeys.Mix(seed + HashKeys.GoldenRatio) + (ulong)stream) + (ulong)index));

    /// <summary>A given state, to compare with the reference.</summary>
    internal SimRandom(ulong a, ulong b, ulong c, ulong d) => _state = new(a, b, c, d);

    internal ulong Next()
    {
        ulong result = BitOperations.RotateLeft(_state.B * 5, 7) * 9;
        _state.Advance();
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
    Class = 10,
    Scenario = 11,
}
