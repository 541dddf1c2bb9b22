namespace LoadBalancer.Core.Buffers;

/// <summary>
/// The buffers of one loop: three size classes, last returned first leased (warm in the cache), each with a bound on what is kept.
/// Used on the loop's thread only. A lease beyond what is kept allocates; a return beyond the bound leaves the slab to the collector.
/// </summary>
internal sealed class SlabPool
{
    internal const int SmallSize = 32 * 1024;   // a head with a body of up to 16 KiB in one receive; only touched pages count
    internal const int MediumSize = 64 * 1024;  // the largest head accepted
    internal const int LargeSize = 256 * 1024;  // bodies that filled a smaller slab

    private readonly Slab?[] _kept = new Slab?[3];
    private readonly int[] _keptCount = new int[3];
    private static readonly int[] Sizes = [SmallSize, MediumSize, LargeSize];
    private static readonly int[] KeptMax = [512, 64, 32]; // 16 MiB + 4 MiB + 8 MiB a loop at the most

    /// <summary>Slabs out on lease. For tests and statistics: 0 when every connection is idle.</summary>
    internal int Leased { get; private set; }

    /// <summary>Leases a slab of at least <paramref name="sizeMin"/> bytes; the largest class when more is asked.</summary>
    internal Slab Lease(int sizeMin = 0)
    {
        int sizeClass = sizeMin <= SmallSize ? 0 : sizeMin <= MediumSize ? 1 : 2;
        Leased++;
        Slab? slab = _kept[sizeClass];
        if (slab is null) return new Slab(Sizes[sizeClass], sizeClass);
        _kept[sizeClass] = slab.NextFree;
        _keptCount[sizeClass]--;
        return slab;
    }

    internal void Return(Slab slab)
    {
        Leased--;
        int sizeClass = slab.SizeClass;
        if (_keptCount[sizeClass] == KeptMax[sizeClass]) return;
        _keptCount[sizeClass]++;
        slab.NextFree = _kept[sizeClass];
        _kept[sizeClass] = slab;
    }
}
