using System.Runtime.InteropServices;

namespace LoadBalancer.Balancing;

/// <summary>An array element that shares no cache line with the next, so that writers of different counters do not slow each other down.</summary>
// 128 bytes: Intel's prefetcher takes lines of 64 in pairs, and Apple's cores have lines of 128.
[StructLayout(LayoutKind.Explicit, Size = 128)]
internal struct PaddedCounter
{
    [FieldOffset(0)]
    internal long Value;
}
