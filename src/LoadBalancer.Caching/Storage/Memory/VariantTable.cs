using System.Numerics;

namespace LoadBalancer.Caching.Storage.Memory;

/// <summary>
/// Finds the variants of a primary key: open addressing, at most half full. Readers take no lock; writers hold the one of the shard. A set that is removed leaves
/// a tombstone, so that a reader's search is not cut short; a rebuilt table is another array, and who still reads the old one sees the store as it was.
/// </summary>
internal sealed class VariantTable<THead>
    where THead : class
{
    private const int SlotsMin = 64;

    // Matches nothing: keys are not empty.
    private static readonly VariantSet<THead> Tombstone = new(0, []);

    private VariantSet<THead>?[] _slots = new VariantSet<THead>?[SlotsMin];
    private int _used; // with tombstones

    internal int Count { get; private set; }

    // Hot path: per look-up. 0 allocations, no lock.
    internal VariantSet<THead>? Find(UInt128 hash, ReadOnlySpan<byte> key)
    {
        VariantSet<THead>?[] slots = Volatile.Read(ref _slots);
        int mask = slots.Length - 1;
        for (int at = (int)(ulong)hash & mask; ; at = (at + 1) & mask)
        {
            VariantSet<THead>? set = Volatile.Read(ref slots[at]);
            if (set is null || set.Matches(hash, key)) return set;
        }
    }

    internal VariantSet<THead> FindOrAdd(UInt128 hash, byte[] key)
    {
        VariantSet<THead>? set = Find(hash, key);
        if (set is not null) return set;
        if ((_used + 1) * 2 > _slots.Length) Rebuild();
        set = new(hash, key);
        _used += Insert(_slots, set);
        Count++;
        return set;
    }

    internal void Remove(VariantSet<THead> set)
    {
        int mask = _slots.Length - 1;
        int at = (int)(ulong)set.Hash & mask;
        while (!ReferenceEquals(_slots[at], set)) at = (at + 1) & mask;
        // Before an empty slot nobody searches on.
        bool endsHere = _slots[(at + 1) & mask] is null;
        Volatile.Write(ref _slots[at], endsHere ? null : Tombstone);
        if (endsHere) _used--;
        Count--;
    }

    /// <summary>All slots as they are now, for a walk without a lock.</summary>
    internal ReadOnlySpan<VariantSet<THead>?> Slots => Volatile.Read(ref _slots);

    private void Rebuild()
    {
        var slots = new VariantSet<THead>?[Math.Max(SlotsMin, (int)BitOperations.RoundUpToPowerOf2((uint)(Count + 1) * 3))];
        foreach (VariantSet<THead>? set in _slots)
        {
            if (set is not null && !ReferenceEquals(set, Tombstone)) Insert(slots, set);
        }
        _used = Count;
        Volatile.Write(ref _slots, slots);
    }

    /// <summary>Slots that were taken by it: 0 where there was a tombstone.</summary>
    private static int Insert(VariantSet<THead>?[] slots, VariantSet<THead> set)
    {
        int mask = slots.Length - 1;
        int at = (int)(ulong)set.Hash & mask;
        while (slots[at] is { } other && !ReferenceEquals(other, Tombstone)) at = (at + 1) & mask;
        int taken = slots[at] is null ? 1 : 0;
        Volatile.Write(ref slots[at], set);
        return taken;
    }
}
