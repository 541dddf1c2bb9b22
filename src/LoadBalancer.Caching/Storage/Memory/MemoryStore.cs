using System.Numerics;
using LoadBalancer.Caching.Storage.Bodies;

namespace LoadBalancer.Caching.Storage.Memory;

/// <summary>
/// Objects in memory, by primary key and variant, within a bound of bytes. Any thread. A look-up takes no lock and allocates nothing; storing, evicting and purging lock
/// one shard at a time, briefly. It has no clock: <c>now</c> and <see cref="StoredObject{THead}.KeepUntil"/> are the caller's, of one unit.
/// </summary>
/// <typeparam name="THead">What the caller keeps for a head.</typeparam>
public sealed class MemoryStore<THead>
    where THead : class
{
    private const int ShardsMax = 256, VariantsMaxMax = 256;
    private const long ShardBytesMin = 16 * 1024 * 1024;

    private readonly StoreShard<THead>[] _shards;
    private readonly int _shardShift;
    private readonly MemoryStoreOptions _options;
    private readonly PurgeLog _purges = new();
    private readonly StripedCounter _hits = new(), _misses = new(), _refusals = new();

    /// <summary>Makes an empty store.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    public MemoryStore(MemoryStoreOptions options) : this(options, poisons: false)
    {
    }

    internal MemoryStore(MemoryStoreOptions options, bool poisons)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.BytesMax, MemoryStoreOptions.BytesMaxMin, nameof(options));
        ArgumentOutOfRangeException.ThrowIfNegative(options.InFlightBytesMax, nameof(options));
        ArgumentOutOfRangeException.ThrowIfNegative(options.ObjectBytesMax, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.VariantsMax, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.VariantsMax, VariantsMaxMax, nameof(options));
        _options = options;
        int shards = options.Shards;
        if (shards == 0)
        {
            shards = (int)Math.Min(BitOperations.RoundUpToPowerOf2((uint)Environment.ProcessorCount * 2), Math.Max(1, options.BytesMax / ShardBytesMin));
            shards = Math.Min(1 << BitOperations.Log2((uint)shards), ShardsMax);
        }
        if (!BitOperations.IsPow2(shards) || shards > ShardsMax) throw new ArgumentOutOfRangeException(nameof(options), "Shards: a power of two, at most 256");
        _shardShift = 64 - BitOperations.Log2((uint)shards);
        long shardBytes = options.BytesMax / shards;
        ObjectBytesMax = options.ObjectBytesMax == 0 ? shardBytes / 8 : Math.Min(options.ObjectBytesMax, shardBytes / 8);
        Memory = new(options.BytesMax + (options.InFlightBytesMax == 0 ? options.BytesMax / 4 : options.InFlightBytesMax), poisons);
        _shards = new StoreShard<THead>[shards];
        for (int i = 0; i < shards; i++) _shards[i] = new(shardBytes, int.MaxValue, options.VariantsMax, _purges);
    }

    /// <summary>Where the bodies of this store are to be made: <see cref="StoredBody.Create"/>.</summary>
    public BodyMemory Memory { get; }

    /// <summary>Largest object that is stored, in bytes of <see cref="StoredObject{THead}.SizeBytes"/>: what is known to be longer need not be received into a body.</summary>
    public long ObjectBytesMax { get; }

    /// <summary>Where the log of purges stands. Taken when a request is sent to the destination, and said to <see cref="Put"/> with its answer.</summary>
    public long PurgePosition => _purges.Position;

    /// <summary>Looks for the variant that a request gets. Where found, the lease is released once by the caller.</summary>
    // Hot path: per request. 0 allocations, no lock.
    public bool TryFind<TSelector>(UInt128 hash, ReadOnlySpan<byte> key, scoped TSelector selector, out StoreLease<THead> lease)
        where TSelector : IVariantSelector<THead>, allows ref struct
    {
        bool isFound = Shard(hash).TryFind(hash, key, selector, out lease);
        (isFound ? _hits : _misses).Increment();
        return isFound;
    }

    /// <summary>All variants of a key, newest first, without holding them: heads may be looked at, bodies not. Counts as no use.</summary>
    public ReadOnlySpan<StoredObject<THead>> Peek(UInt128 hash, ReadOnlySpan<byte> key) => Shard(hash).Peek(hash, key);

    /// <summary>Removes the variant that the selector picks, where there is one: its successor is stored elsewhere. No purge: answers under way are stored all the same.</summary>
    public bool Remove<TSelector>(UInt128 hash, ReadOnlySpan<byte> key, scoped TSelector selector)
        where TSelector : IVariantSelector<THead>, allows ref struct
    {
        ReadOnlySpan<StoredObject<THead>> variants = Peek(hash, key);
        int at = selector.Select(variants);
        return at >= 0 && Shard(hash).Remove(variants[at]);
    }

    /// <summary>
    /// Stores an object, in place of the variant that the selector picks, else as a further one. The store takes its own reference to the body: the caller's stays the caller's.
    /// </summary>
    /// <param name="entry">Not in a store yet.</param>
    /// <param name="selector">As for a look-up with the request that brought the object.</param>
    /// <param name="now">The time, to tell what is of no use any more.</param>
    /// <param name="purgePosition">What <see cref="PurgePosition"/> was when the request was sent.</param>
    public PutResult Put<TSelector>(StoredObject<THead> entry, scoped TSelector selector, long now, long purgePosition)
        where TSelector : IVariantSelector<THead>, allows ref struct
    {
        PutResult result = Admit(entry);
        if (result != PutResult.Stored) return result;
        result = Shard(entry.Hash).Put(entry, selector, now, purgePosition);
        return Settle(entry, result);
    }

    /// <summary>
    /// Puts an object of the same key in the place of one that was found, if that is still stored; its hits are inherited. For a 304: the new one has a merged head
    /// and the body of the old, which the caller holds by its lease meanwhile.
    /// </summary>
    public PutResult Replace(StoredObject<THead> old, StoredObject<THead> entry, long now, long purgePosition)
    {
        ArgumentNullException.ThrowIfNull(old);
        PutResult result = Admit(entry);
        if (result != PutResult.Stored) return result;
        if (old.Hash != entry.Hash || !old.Key.AsSpan().SequenceEqual(entry.Key)) throw new ArgumentException("It has another key.", nameof(entry));
        result = Shard(entry.Hash).Replace(old, entry, now, purgePosition);
        return Settle(entry, result);
    }

    /// <summary>Removes, or marks as stale (<paramref name="soft"/>), all variants of a key. Answers under way are not stored. How many there were.</summary>
    public int Purge(UInt128 hash, ReadOnlySpan<byte> key, bool soft = false)
    {
        _purges.AddKey(hash);
        return Shard(hash).PurgeKey(hash, key, soft);
    }

    /// <summary>The same for all keys that begin so; an empty prefix is the whole store. Looks at every key, but holds up nobody.</summary>
    public int PurgePrefix(ReadOnlySpan<byte> prefix, bool soft = false)
    {
        _purges.AddPrefix(prefix);
        int purged = 0;
        foreach (StoreShard<THead> shard in _shards) purged += shard.PurgePrefix(prefix, soft);
        return purged;
    }

    /// <summary>The same for all objects with a tag; the cost is that of the matches.</summary>
    public int PurgeTag(string tag, bool soft = false)
    {
        ArgumentNullException.ThrowIfNull(tag);
        _purges.AddTag(tag);
        int purged = 0;
        foreach (StoreShard<THead> shard in _shards) purged += shard.PurgeTag(tag, soft);
        return purged;
    }

    /// <summary>What it holds and has done; each shard by itself is exact.</summary>
    public StoreStatistics GetStatistics()
    {
        StoreStatistics sum = default;
        foreach (StoreShard<THead> shard in _shards) sum = shard.Add(sum);
        return sum with { Hits = _hits.Value, Misses = _misses.Value, Refusals = _refusals.Value };
    }

    private StoreShard<THead> Shard(UInt128 hash) => _shards[_shardShift == 64 ? 0 : (int)((ulong)(hash >> 64) >> _shardShift)];

    private PutResult Admit(StoredObject<THead> entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        PutResult result = entry.SizeBytes > ObjectBytesMax ? PutResult.TooLarge : HasFittingTags(entry) ? PutResult.Stored : PutResult.TooManyTags;
        if (result != PutResult.Stored) _refusals.Increment();
        else if (entry.Body is { } body) ObjectDisposedException.ThrowIf(!body.TryAcquire(), body);
        return result;
    }

    private PutResult Settle(StoredObject<THead> entry, PutResult result)
    {
        if (result == PutResult.Stored) return result;
        _refusals.Increment();
        entry.Body?.Release();
        return result;
    }

    private bool HasFittingTags(StoredObject<THead> entry)
    {
        if (entry.Tags.Count > _options.TagsMax) return false;
        for (int i = 0; i < entry.Tags.Count; i++)
        {
            if (entry.Tags[i].Length > _options.TagLengthMax) return false;
        }
        return true;
    }
}
