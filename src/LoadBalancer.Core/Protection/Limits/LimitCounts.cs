using System.Runtime.InteropServices;

namespace LoadBalancer.Core.Protection.Limits;

/// <summary>What one loop has counted of a limit: written by that loop alone, read by anybody.</summary>
// 128 bytes: Intel's prefetcher takes lines of 64 in pairs, and Apple's cores have lines of 128.
[StructLayout(LayoutKind.Explicit, Size = 128)]
internal struct LimitCounts
{
    [FieldOffset(0)]
    internal long Allowed;

    [FieldOffset(8)]
    internal long Refused;

    /// <summary>Counts one more, in a field of this loop's.</summary>
    internal static void Count(ref long field) => Volatile.Write(ref field, field + 1);

    /// <summary>Over all loops. Any thread.</summary>
    internal static long AllowedSum(LimitCounts[] loops)
    {
        long sum = 0;
        for (int i = 0; i < loops.Length; i++) sum += Volatile.Read(ref loops[i].Allowed);
        return sum;
    }

    /// <inheritdoc cref="AllowedSum"/>
    internal static long RefusedSum(LimitCounts[] loops)
    {
        long sum = 0;
        for (int i = 0; i < loops.Length; i++) sum += Volatile.Read(ref loops[i].Refused);
        return sum;
    }
}
