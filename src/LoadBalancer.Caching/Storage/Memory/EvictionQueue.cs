namespace LoadBalancer.Caching.Storage.Memory;

/// <summary>A first-in-first-out list of objects with their bytes; any of them may leave. Under the lock of its shard.</summary>
internal sealed class EvictionQueue<THead>
    where THead : class
{
    private StoredObject<THead>? _newest;

    internal StoredObject<THead>? Oldest { get; private set; }

    internal long Bytes { get; private set; }

    internal int Count { get; private set; }

    internal void Add(StoredObject<THead> entry)
    {
        entry.Queue = this;
        entry.Older = _newest;
        entry.Newer = null;
        if (_newest is null) Oldest = entry;
        else _newest.Newer = entry;
        _newest = entry;
        Bytes += entry.SizeBytes;
        Count++;
    }

    internal void Remove(StoredObject<THead> entry)
    {
        if (entry.Newer is null) _newest = entry.Older;
        else entry.Newer.Older = entry.Older;
        if (entry.Older is null) Oldest = entry.Newer;
        else entry.Older.Newer = entry.Newer;
        entry.Queue = null;
        entry.Newer = entry.Older = null;
        Bytes -= entry.SizeBytes;
        Count--;
    }
}
