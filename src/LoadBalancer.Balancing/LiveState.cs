using System.Runtime.InteropServices;

namespace LoadBalancer.Balancing;

/// <summary>
/// The words of a destination that every pick and completion writes, together on one line, and away from everything else: from the
/// fields that are only read, and from other destinations.
/// </summary>
// 128 bytes on both sides: Intel's prefetcher takes lines of 64 in pairs, and Apple's cores have lines of 128.
[StructLayout(LayoutKind.Explicit, Size = 128 + 64 + 128)]
internal struct LiveState
{
    /// <summary>Picks not completed.</summary>
    [FieldOffset(128)]
    internal int Outstanding;

    /// <summary>Completions a policy has learned from. Lost increments are accepted.</summary>
    [FieldOffset(132)]
    internal int Samples;

    /// <summary>When the outstanding count last rose from 0.</summary>
    [FieldOffset(136)]
    internal long BusySince;

    /// <summary>When a policy last learned from a completion.</summary>
    [FieldOffset(144)]
    internal long LearnedAt;

    /// <summary>What it learned; the meaning is the policy's. Zero at first.</summary>
    [FieldOffset(152)]
    internal long Learned;

    /// <summary>More of it.</summary>
    [FieldOffset(160)]
    internal long Learned2;

    /// <summary>For outlier ejection.</summary>
    [FieldOffset(168)]
    internal FailureCounter Failures;
}
