using System.Numerics;

namespace LoadBalancer.Balancing;

/// <summary>
/// The state of xoshiro256 (Blackman and Vigna, 2018), which its scramblers ++ and ** share, seeded with SplitMix64 as its authors advise.
/// A mutable struct with one owner.
/// </summary>
internal struct Xoshiro256(ulong a, ulong b, ulong c, ulong d)
{
    internal ulong A = a, B = b, C = c, D = d;

    /// <summary>The state that SplitMix64 makes of a seed.</summary>
    internal static Xoshiro256 Seeded(ulong seed) => new(
        HashKeys.Mix(seed += HashKeys.GoldenRatio),
        HashKeys.Mix(seed += HashKeys.GoldenRatio),
        HashKeys.Mix(seed += HashKeys.GoldenRatio),
        HashKeys.Mix(seed + HashKeys.GoldenRatio));

    internal void Advance()
    {
        ulong shifted = B << 17;
        C ^= A;
        D ^= B;
        B ^= C;
        A ^= D;
        C ^= shifted;
        D = BitOperations.RotateLeft(D, 45);
    }
}
