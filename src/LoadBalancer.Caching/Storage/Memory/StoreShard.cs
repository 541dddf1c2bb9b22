using System.Diagnostics;

namespace LoadBalancer.Caching.Storage.Memory;

/// <summary>
/// A part of a store with its own bound and lock. Evicts by S3-FIFO (Yang, Zhang, Qiu, Yue, Rashmi: "FIFO queues are all you need for cache eviction", SOSP 2023): new
/// objects enter a small queue, of which those that were asked for again move to the main queue; the rest leave, remembered by their hash, and enter the main queue at
/// once should they come back. So a scan passes through a tenth of the memory, and a hit moves nothing. What is of no use any more goes when its turn comes,
/// whoever asked for it: nobody searches for such objects, as a store that is not full does not need the room.
/// </summary>
internal sealed class StoreShard<THead>(long bytesMax, int objectsMax, int variantsMax, PurgeLog purges)
    where THead : class
{
    internal const int HitsMax = 3;

    private const int SmallShare = 10; // one tenth, as in the paper
    private const int PromotionHits = 1; // bench/results/cache-eviction.md

    // Objects that were hit since their last turn go round; this many at most for one that makes room, so that the lock is never held for a whole round.
    private const int RoundsMax = 128;

    private readonly Lock _gate = new();
    private readonly VariantTable<THead> _table = new();
    private readonly EvictionQueue<THead> _small = new(), _main = new();
    private readonly GhostTable _ghosts = new();
    private readonly TagIndex<THead> _tags = new();
    private long _insertions, _replacements, _evictions, _expirations, _purged;

    private int Count => _small.Count + _main.Count;

    private long Bytes => _small.Bytes + _main.Bytes;

    // Hot path: per look-up. 0 allocations, no lock.
    internal bool TryFind<TSelector>(UInt128 hash, ReadOnlySpan<byte> key, scoped TSelector selector, out StoreLease<THead> lease)
        where TSelector : IVariantSelector<THead>, allows ref struct
    {
        // Who is evicted or replaced between our look and our reference is looked for again; more often than that only by chance that never comes.
        for (int attempt = 0; attempt < 4; attempt++)
        {
            if (_table.Find(hash, key) is not { } set) break;
            StoredObject<THead>[] variants = set.Variants;
            int at = selector.Select(variants);
            if ((uint)at >= (uint)variants.Length) break;
            StoredObject<THead> found = variants[at];
            if (found.Body is { } body && !body.TryAcquire()) continue;
            // Written only when it changes, so that a popular object's line stays shared between processors.
            if (found.Hits < HitsMax) found.Hits++;
            lease = new(found);
            return true;
        }
        lease = default;
        return false;
    }

    internal StoredObject<THead>[] Peek(UInt128 hash, ReadOnlySpan<byte> key) => _table.Find(hash, key)?.Variants ?? [];

    /// <summary>The store's reference to the body is taken before, and released by the caller where it is not stored.</summary>
    internal PutResult Put<TSelector>(StoredObject<THead> entry, scoped TSelector selector, long now, long purgePosition)
        where TSelector : IVariantSelector<THead>, allows ref struct
    {
        Retired retired = default;
        lock (_gate)
        {
            if (entry.WasStored) throw new InvalidOperationException("An object is stored once.");
            if (entry.SizeBytes > bytesMax / 2) return PutResult.TooLarge;
            if (purges.HasPurgedSince(purgePosition, entry)) return PutResult.Purged;
            StoredObject<THead>[] variants = _table.Find(entry.Hash, entry.Key)?.Variants ?? [];
            int at = selector.Select(variants);
            StoredObject<THead>? replaced = (uint)at < (uint)variants.Length ? variants[at] : variants.Length >= variantsMax ? variants[^1] : null;
            Enter(entry, replaced, now, ref retired);
        }
        retired.Release();
        return PutResult.Stored;
    }

    internal PutResult Replace(StoredObject<THead> old, StoredObject<THead> entry, long now, long purgePosition)
    {
        Retired retired = default;
        lock (_gate)
        {
            if (old.Set is null) return PutResult.Gone;
            if (purges.HasPurgedSince(purgePosition, entry)) return PutResult.Purged;
            if (entry.WasStored) throw new InvalidOperationException("An object is stored once.");
            if (entry.SizeBytes > bytesMax / 2) return PutResult.TooLarge;
            old.HasPassedFile = true;
            Enter(entry, old, now, ref retired);
        }
        retired.Release();
        return PutResult.Stored;
    }

    private void Enter(StoredObject<THead> entry, StoredObject<THead>? replaced, long now, ref Retired retired)
    {
        bool isMain;
        if (replaced is not null)
        {
            // It stays to be found until the new one is there, but counts no more, and eviction does not see it.
            isMain = ReferenceEquals(replaced.Queue, _main);
            entry.Hits = replaced.Hits;
            replaced.Queue!.Remove(replaced);
            _replacements++;
        }
        else
        {
            isMain = _ghosts.Take(entry.Hash, Count);
            entry.Hits = 0;
        }
        while (Bytes + entry.SizeBytes > bytesMax || Count >= objectsMax) EvictOne(now, ref retired);
        VariantSet<THead> set = _table.FindOrAdd(entry.Hash, entry.Key);
        entry.Set = set;
        entry.WasStored = true;
        StoredObject<THead>[] variants = set.Variants;
        var with = new StoredObject<THead>[replaced is null ? variants.Length + 1 : variants.Length];
        int count = 0;
        bool isIn = false;
        foreach (StoredObject<THead> variant in variants)
        {
            // Newest first: what is read from disk at start may come after what was stored meanwhile.
            if (!isIn && variant.Sequence <= entry.Sequence)
            {
                with[count++] = entry;
                isIn = true;
            }
            if (!ReferenceEquals(variant, replaced)) with[count++] = variant;
        }
        if (!isIn) with[count] = entry;
        set.Variants = with;
        (isMain ? _main : _small).Add(entry);
        _tags.Add(entry);
        if (replaced is not null)
        {
            replaced.Set = null;
            _tags.Remove(replaced);
            retired.Add(replaced);
        }
        _insertions++;
    }

    private void EvictOne(long now, ref Retired retired)
    {
        for (int rounds = 0; ; rounds++)
        {
            bool isSmall = _main.Count == 0 || _small.Bytes > bytesMax / SmallShare;
            StoredObject<THead> oldest = (isSmall ? _small : _main).Oldest!;
            bool isExpired = oldest.KeepUntil <= now;
            if (!isExpired && rounds < RoundsMax && oldest.Hits >= (isSmall ? PromotionHits : 1))
            {
                oldest.Queue!.Remove(oldest);
                oldest.Hits = isSmall ? (byte)0 : (byte)(oldest.Hits - 1);
                _main.Add(oldest);
                continue;
            }
            if (isSmall && !isExpired) _ghosts.Add(oldest.Hash, Count);
            if (isExpired) _expirations++;
            _evictions++;
            Unlink(oldest, ref retired);
            return;
        }
    }

    private void Unlink(StoredObject<THead> entry, ref Retired retired)
    {
        entry.Queue!.Remove(entry);
        _tags.Remove(entry);
        VariantSet<THead> set = entry.Set!;
        entry.Set = null;
        StoredObject<THead>[] variants = set.Variants;
        Debug.Assert(Array.IndexOf(variants, entry) >= 0);
        if (variants.Length > 1)
        {
            set.Variants = Array.FindAll(variants, variant => !ReferenceEquals(variant, entry));
        }
        else
        {
            set.Variants = [];
            _table.Remove(set);
        }
        retired.Add(entry);
    }

    /// <summary>Removes one object. False when it had left already.</summary>
    internal bool Remove(StoredObject<THead> entry)
    {
        Retired retired = default;
        lock (_gate)
        {
            if (entry.Set is null) return false;
            Unlink(entry, ref retired);
        }
        retired.Release();
        return true;
    }

    internal int PurgeKey(UInt128 hash, ReadOnlySpan<byte> key, bool soft)
    {
        Retired retired = default;
        int purged;
        lock (_gate) purged = Purge(_table.Find(hash, key)?.Variants ?? [], soft, ref retired);
        retired.Release();
        return purged;
    }

    internal int PurgeTag(string tag, bool soft)
    {
        Retired retired = default;
        int purged;
        lock (_gate) purged = Purge(_tags.Find(tag), soft, ref retired);
        retired.Release();
        return purged;
    }

    internal int PurgePrefix(ReadOnlySpan<byte> prefix, bool soft)
    {
        // Whoever looked into the log before this purge stood in it has stored by now, and is seen below. The walk itself holds up nobody.
        lock (_gate)
        {
        }
        int purged = 0;
        foreach (VariantSet<THead>? set in _table.Slots)
        {
            if (set is null || !set.Key.AsSpan().StartsWith(prefix)) continue;
            Retired retired = default;
            lock (_gate) purged += Purge(set.Variants, soft, ref retired);
            retired.Release();
        }
        return purged;
    }

    private int Purge(StoredObject<THead>[] entries, bool soft, ref Retired retired)
    {
        foreach (StoredObject<THead> entry in entries)
        {
            if (soft) entry.MarkStale();
            else Unlink(entry, ref retired);
        }
        _purged += entries.Length;
        return entries.Length;
    }

    internal StoreStatistics Add(in StoreStatistics sum)
    {
        lock (_gate)
        {
            return sum with
            {
                Objects = sum.Objects + Count,
                Bytes = sum.Bytes + Bytes,
                Insertions = sum.Insertions + _insertions,
                Replacements = sum.Replacements + _replacements,
                Evictions = sum.Evictions + _evictions,
                Expirations = sum.Expirations + _expirations,
                Purges = sum.Purges + _purged,
            };
        }
    }

    /// <summary>Objects that have left, chained by themselves: their memory is freed after the lock.</summary>
    private struct Retired
    {
        private StoredObject<THead>? _first;

        internal void Add(StoredObject<THead> entry)
        {
            entry.Older = _first;
            _first = entry;
        }

        internal void Release()
        {
            while (_first is { } entry)
            {
                _first = entry.Older;
                entry.Older = null;
                entry.Leave();
            }
        }
    }
}
