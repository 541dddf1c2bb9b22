using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace LoadBalancer.Core.Buffers;

/// <summary>
/// A pinned, pooled byte buffer of one loop. Owner: whoever leased it from <see cref="SlabPool"/>, on the loop's thread.
/// Invariant: the array lives on the pinned object heap, so <see cref="Pointer"/> stays valid as long as the slab is referenced.
/// </summary>
internal sealed unsafe class Slab
{
    internal readonly byte[] Array;
    internal readonly byte* Pointer;
    internal readonly int SizeClass;
    internal Slab? NextFree; // in the pool

    internal Slab(int size, int sizeClass)
    {
        Array = GC.AllocateUninitializedArray<byte>(size, pinned: true);
        Pointer = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(Array));
        SizeClass = sizeClass;
    }

    internal int Length => Array.Length;
}
