using LoadBalancer.Caching.Storage.Memory;

namespace LoadBalancer.Caching.Storage.Disk;

/// <summary>
/// Large objects in files, within bounds of bytes and number; heads and keys are held in memory, so that to look for one touches no disk. Survives its process: the index is
/// read from the files again. Any thread; what touches the disk does so on threads of the pool, and a disk that fails makes the store refuse, not throw. Times are the
/// caller's, of one unit, by a clock that goes on while the process does not run.
/// </summary>
public sealed class DiskStore<THead> : IDiskReaderOwner, IDisposable
    where THead : class
{
    private readonly DiskStoreOptions _options;
    private readonly IStoredHeadFormat<THead> _format;
    private readonly PurgeLog _purges = new();
    private readonly StoreShard<THead> _index;
    private readonly StripedCounter _hits = new(), _misses = new(), _refusals = new();
    private long _sequence;
    private int _writers, _readers;
    private volatile bool _isReady;

    /// <summary>Opens a folder. Nothing is found or stored before <see cref="LoadAsync"/>.</summary>
    /// <exception cref="IOException">The folder cannot be made or written to, or another process uses it.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    public DiskStore(DiskStoreOptions options, IStoredHeadFormat<THead> format)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(format);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.BytesMax, MemoryStoreOptions.BytesMaxMin, nameof(options));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.ObjectsMax, nameof(options));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.ObjectBytesMax, nameof(options));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.VariantsMax, nameof(options));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.MetaBytesMax, nameof(options));
        _options = options;
        _format = format;
        ObjectBytesMax = Math.Min(options.ObjectBytesMax, options.BytesMax / 8);
        _index = new(options.BytesMax, options.ObjectsMax, options.VariantsMax, _purges);
        Folder = new(options.Folder, options.OnFault);
    }

    internal DiskFolder Folder { get; }

    internal bool Flushes => _options.Flushes;

    /// <summary>Longest body, in bytes.</summary>
    public long ObjectBytesMax { get; }

    /// <summary>What the disk failed at, and files that were not whole, since the store was opened.</summary>
    public long Faults => Folder.Faults;

    /// <summary>Files open for reading now.</summary>
    public int OpenReaders => Volatile.Read(ref _readers);

    /// <summary>As <see cref="MemoryStore{THead}.PurgePosition"/>, of this store.</summary>
    public long PurgePosition => _purges.Position;

    /// <summary>
    /// Reads the index from the files, once, on a thread of the pool; what it has read is found meanwhile, and what was purged meanwhile is not. Removes what was left unfinished,
    /// what is not whole, and what is of no use any more. Reads the beginning of each file only; at most as many as the store may hold, the newest.
    /// </summary>
    public Task LoadAsync(long now, CancellationToken cancellationToken = default) => Task.Run(() => Load(now, cancellationToken), cancellationToken);

    private void Load(long now, CancellationToken cancellationToken)
    {
        var files = new PriorityQueue<string, long>();
        try
        {
            foreach ((long sequence, string path) in Folder.Scan())
            {
                cancellationToken.ThrowIfCancellationRequested();
                // Bounded: the oldest beyond what may be held goes.
                if (files.Count < _options.ObjectsMax) files.Enqueue(path, sequence);
                else Folder.Delete(files.EnqueueDequeue(path, sequence));
                _sequence = Math.Max(_sequence, sequence);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Numbers that are in use are not known: it stays closed.
            Folder.NoteFault($"cannot read the folder: {e.Message}");
            return;
        }
        _isReady = true;
        while (files.TryDequeue(out string? path, out _))
        {
            cancellationToken.ThrowIfCancellationRequested();
            LoadFile(path, now);
        }
    }

    private void LoadFile(string path, long now)
    {
        try
        {
            if (DiskIndexer.TryRead(Folder, path, _options, _format) is not { } entry || entry.KeepUntil <= now) Folder.Delete(path);
            else if (_index.Put(entry, default(NoVariant<THead>), now, purgePosition: 0) != PutResult.Stored) entry.Leave();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Folder.NoteFault($"cannot read {path}: {e.Message}");
        }
    }

    /// <summary>Looks for the variant that a request gets. Its body is then opened by <see cref="OpenAsync"/>, before anything is answered: it may be gone.</summary>
    // Per request that the memory store does not answer. 0 allocations, no lock, no disk.
    public bool TryFind<TSelector>(UInt128 hash, ReadOnlySpan<byte> key, scoped TSelector selector, out StoredObject<THead>? found)
        where TSelector : IVariantSelector<THead>, allows ref struct
    {
        bool isFound = _index.TryFind(hash, key, selector, out StoreLease<THead> lease);
        found = isFound ? lease.Object : null;
        (isFound ? _hits : _misses).Increment();
        return isFound;
    }

    /// <summary>As <see cref="MemoryStore{THead}.Peek"/>.</summary>
    public ReadOnlySpan<StoredObject<THead>> Peek(UInt128 hash, ReadOnlySpan<byte> key) => _index.Peek(hash, key);

    /// <summary>Removes the variant that the selector picks, where there is one: its successor is stored elsewhere. No purge: answers under way are stored all the same.</summary>
    public bool Remove<TSelector>(UInt128 hash, ReadOnlySpan<byte> key, scoped TSelector selector)
        where TSelector : IVariantSelector<THead>, allows ref struct
    {
        ReadOnlySpan<StoredObject<THead>> variants = Peek(hash, key);
        int at = selector.Select(variants);
        return at >= 0 && _index.Remove(variants[at]);
    }

    /// <summary>Opens the body of what was found, on a thread of the pool. Null, and the request is a miss, when it has left meanwhile, is not whole, or <see cref="DiskStoreOptions.ReadersMax"/> are open.</summary>
    public Task<DiskReader?> OpenAsync(StoredObject<THead> found)
    {
        ArgumentNullException.ThrowIfNull(found);
        if (found.File is null) throw new ArgumentException("It is not of a disk store.", nameof(found));
        if (Interlocked.Increment(ref _readers) > _options.ReadersMax)
        {
            Interlocked.Decrement(ref _readers);
            return Task.FromResult<DiskReader?>(null);
        }
        return Task.Run(() => OpenFile(found));
    }

    private DiskReader? OpenFile(StoredObject<THead> found)
    {
        DiskReader? reader = null;
        try
        {
            reader = DiskReader.TryOpen(found.File!, this, found);
            if (reader is null) ((IDiskReaderOwner)this).OnFaulty(found);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Gone because it was evicted: as it should be. Else it is of no use to anybody.
            if (_index.Remove(found)) Folder.NoteFault($"cannot open {found.File!.Path}: {e.Message}");
        }
        if (reader is null) Interlocked.Decrement(ref _readers);
        return reader;
    }

    void IDiskReaderOwner.OnFaulty(object entry)
    {
        var found = (StoredObject<THead>)entry;
        Folder.NoteFault($"{found.File!.Path} is not whole; it is removed");
        _index.Remove(found);
    }

    void IDiskReaderOwner.OnClosed() => Interlocked.Decrement(ref _readers);

    /// <summary>Begins an object. Null, and why, when it cannot be stored. The writer ends by <see cref="Publish"/> or <see cref="DiskWriter{THead}.Abandon"/>.</summary>
    /// <param name="key">The primary key; kept as it is.</param>
    /// <param name="head">Written by the format of the store; kept.</param>
    /// <param name="tags">By which it may be purged.</param>
    /// <param name="keepUntil">From when on it is of no use, not even stale.</param>
    /// <param name="length">What was said of the body's length; -1 when it is not known.</param>
    /// <param name="refusal">Why there is no writer.</param>
    public DiskWriter<THead>? TryBegin(byte[] key, THead head, IReadOnlyList<string> tags, long keepUntil, long length, out PutResult refusal)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentOutOfRangeException.ThrowIfZero(key.Length, nameof(key));
        ArgumentNullException.ThrowIfNull(head);
        ArgumentNullException.ThrowIfNull(tags);
        refusal = PutResult.Stored;
        if (!_isReady) refusal = PutResult.Unavailable;
        else if (length > ObjectBytesMax) refusal = PutResult.TooLarge;
        else if (tags.Count > _options.TagsMax || HasLongTag(tags)) refusal = PutResult.TooManyTags;
        if (refusal == PutResult.Stored)
        {
            byte[] meta = DiskMeta.Write(_format, key, tags, head, out int tagsLength, out int headLength);
            if (meta.Length > _options.MetaBytesMax)
            {
                refusal = PutResult.TooLarge;
            }
            else if (Interlocked.Increment(ref _writers) > _options.WritersMax)
            {
                Interlocked.Decrement(ref _writers);
                refusal = PutResult.Unavailable;
            }
            else
            {
                return new(this, Interlocked.Increment(ref _sequence), _options.Hasher.Hash(key), key, head, tags, keepUntil, length, meta, tagsLength, headLength);
            }
        }
        _refusals.Increment();
        return null;
    }

    private static bool HasLongTag(IReadOnlyList<string> tags)
    {
        for (int i = 0; i < tags.Count; i++)
        {
            if (tags[i].Length > MemoryStoreOptions.TagLengthMaxMax) return true;
        }
        return false;
    }

    internal void EndWriter() => Interlocked.Decrement(ref _writers);

    /// <summary>Makes a completed object findable, as <see cref="MemoryStore{THead}.Put"/> does. Touches no disk.</summary>
    public PutResult Publish<TSelector>(DiskWriter<THead> writer, scoped TSelector selector, long now, long purgePosition)
        where TSelector : IVariantSelector<THead>, allows ref struct
    {
        ArgumentNullException.ThrowIfNull(writer);
        DiskFile file = writer.TakeFile() ?? throw new InvalidOperationException("The writer has not completed an object, or it is published already.");
        var entry = new StoredObject<THead>(writer.Hash, writer.Key, writer.Head, writer.Tags, writer.KeepUntil, file);
        return Settle(entry, _index.Put(entry, selector, now, purgePosition));
    }

    /// <summary>Gives what was found another head, for a 304, in memory only: after a restart the object is as old as on disk, and is asked about again.</summary>
    public PutResult Replace(StoredObject<THead> old, THead head, long keepUntil, long now, long purgePosition)
    {
        ArgumentNullException.ThrowIfNull(old);
        if (old.File is null) throw new ArgumentException("It is not of a disk store.", nameof(old));
        var entry = new StoredObject<THead>(old.Hash, old.Key, head, old.Tags, keepUntil, old.File);
        PutResult result = _index.Replace(old, entry, now, purgePosition);
        if (result != PutResult.Stored) _refusals.Increment();
        return result;
    }

    private PutResult Settle(StoredObject<THead> entry, PutResult result)
    {
        if (result == PutResult.Stored) return result;
        _refusals.Increment();
        entry.Leave();
        return result;
    }

    /// <summary>As <see cref="MemoryStore{THead}.Purge"/>. The files are gone when <see cref="DeletedAsync"/> has ended: from then on a restart does not bring them back. (A soft mark is not kept on disk.)</summary>
    public int Purge(UInt128 hash, ReadOnlySpan<byte> key, bool soft = false)
    {
        _purges.AddKey(hash);
        return _index.PurgeKey(hash, key, soft);
    }

    /// <summary>The same for all keys that begin so.</summary>
    public int PurgePrefix(ReadOnlySpan<byte> prefix, bool soft = false)
    {
        _purges.AddPrefix(prefix);
        return _index.PurgePrefix(prefix, soft);
    }

    /// <summary>The same for all objects with a tag.</summary>
    public int PurgeTag(string tag, bool soft = false)
    {
        ArgumentNullException.ThrowIfNull(tag);
        _purges.AddTag(tag);
        return _index.PurgeTag(tag, soft);
    }

    /// <summary>Ends when the files of what has left are gone.</summary>
    public Task DeletedAsync() => Folder.DeletedAsync();

    /// <summary>What it holds and has done.</summary>
    public StoreStatistics GetStatistics() => _index.Add(default) with { Hits = _hits.Value, Misses = _misses.Value, Refusals = _refusals.Value };

    /// <summary>Lets another process have the folder. Readers and writers are ended before.</summary>
    public void Dispose() => Folder.Dispose();
}

/// <summary>What is read from disk takes no other's place: whose it would be only a request knows. Newer ones are found first.</summary>
internal readonly struct NoVariant<THead> : IVariantSelector<THead>
    where THead : class
{
    public int Select(ReadOnlySpan<StoredObject<THead>> variants) => -1;
}
