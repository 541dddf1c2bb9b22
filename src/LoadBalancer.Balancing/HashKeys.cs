using System.Text;

namespace LoadBalancer.Balancing;

/// <summary>Hash keys for <see cref="PickContext.HashKey"/>: the same input gives the same key in every process and version, so that a fleet agrees.</summary>
public static class HashKeys
{
    internal const ulong GoldenRatio = 0x9E3779B97F4A7C15; // 2^64 / golden ratio: the increment of SplitMix64

    /// <summary>Key of bytes such as a client's address or a header's value. Never 0, which means "no key".</summary>
    public static ulong Of(ReadOnlySpan<byte> bytes)
    {
        ulong hash = 0xCBF29CE484222325; // FNV-1a, 64 bits; mixed at the end, as its high bits are weak for short input
        foreach (byte b in bytes) hash = (hash ^ b) * 0x100000001B3;
        hash = Mix(hash);
        return hash == 0 ? 1 : hash;
    }

    /// <summary>Key of the text's UTF-8 bytes.</summary>
    public static ulong Of(string text) => Of(Encoding.UTF8.GetBytes(text));

    /// <summary>SplitMix64's finalizer (Steele, Lea and Flood 2014): every input bit reaches every output bit.</summary>
    internal static ulong Mix(ulong x)
    {
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
}
