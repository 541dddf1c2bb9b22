namespace LoadBalancer.Scripting.State;

/// <summary>
/// What the calls of one policy share, over all loops: keys with values that expire. Bounded by keys and bytes; when it is full the one goes that was not used for longest, so
/// that what clients can make up keys of cannot stop it. Thread-safe, in shards of which each has a short lock.
/// </summary>
internal sealed class KeyValueStore
{
    internal const int KeyMax = 512;
    private const int ShardCount = 16, EntryBytes = 160; // measured: entry, list node and dictionary slot

    private readonly TimeProvider _time;
    private readonly Shard[] _shards = new Shard[ShardCount];
    private readonly int _keysMax;
    private readonly long _bytesMax;

    /// <param name="keysMax">Most keys.</param>
    /// <param name="bytesMax">Most memory, about.</param>
    /// <param name="time">The clock by which values expire.</param>
    internal KeyValueStore(int keysMax, long bytesMax, TimeProvider time)
    {
        _time = time;
        _keysMax = Math.Max(keysMax / ShardCount, 1);
        _bytesMax = Math.Max(bytesMax / ShardCount, 1);
        for (int i = 0; i < ShardCount; i++) _shards[i] = new Shard();
    }

    /// <summary>How many keys there are, expired ones that nobody has asked for among them.</summary>
    internal int Count => _shards.Sum(shard => shard.Count);

    internal StoredValue? Get(string key)
    {
        Shard shard = ShardOf(key);
        lock (shard) return shard.Find(key, Now) is { } entry ? entry.Value : null;
    }

    /// <summary>Null, or why it cannot be kept.</summary>
    internal string? Set(string key, StoredValue value, TimeSpan? lifetime)
    {
        long bytes = BytesOf(key, value);
        if (Problem(key, bytes) is { } problem) return problem;
        Shard shard = ShardOf(key);
        lock (shard) shard.Put(key, value, bytes, EndOf(lifetime), _keysMax, _bytesMax);
        return null;
    }

    /// <summary>Adds to a number, of 0 where there is none. Null, or why it cannot be.</summary>
    /// <param name="key">The key.</param>
    /// <param name="by">What is added.</param>
    /// <param name="lifetime">Of a value that was not there; one that was keeps its own.</param>
    /// <param name="value">What it is now.</param>
    internal string? Increment(string key, double by, TimeSpan? lifetime, out double value)
    {
        value = 0;
        long bytes = BytesOf(key, default);
        if (Problem(key, bytes) is { } problem) return problem;
        Shard shard = ShardOf(key);
        lock (shard)
        {
            if (shard.Find(key, Now) is not { } entry)
            {
                value = by;
                shard.Put(key, new StoredValue(null, by), bytes, EndOf(lifetime), _keysMax, _bytesMax);
                return null;
            }
            if (entry.Value.Text is not null) return "kv.increment: the value is a string";
            value = entry.Value.Number + by;
            entry.Value = new StoredValue(null, value);
            return null;
        }
    }

    internal bool Remove(string key)
    {
        Shard shard = ShardOf(key);
        lock (shard)
        {
            if (shard.Find(key, Now) is not { } entry) return false;
            shard.Remove(entry);
            return true;
        }
    }

    private long Now => _time.GetTimestamp();

    private long EndOf(TimeSpan? lifetime) => lifetime is { } span ? Now + (long)(span.TotalSeconds * _time.TimestampFrequency) : long.MaxValue;

    private string? Problem(string key, long bytes)
    {
        if (key.Length is 0 or > KeyMax) return $"a key of kv has 1 to {KeyMax} characters";
        return bytes > _bytesMax ? "the value is too large for kv; see kvMemory" : null;
    }

    private static long BytesOf(string key, StoredValue value) => EntryBytes + 2L * (key.Length + (value.Text?.Length ?? 0));

    // The runtime's hash of strings is seeded: nobody can aim at one shard.
    private Shard ShardOf(string key) => _shards[(key.GetHashCode() >>> 8) % ShardCount];

    private sealed class Entry(string key)
    {
        internal string Key { get; } = key;

        internal StoredValue Value { get; set; }

        internal long Bytes { get; set; }

        internal long End { get; set; }
    }

    private sealed class Shard
    {
        private readonly Dictionary<string, LinkedListNode<Entry>> _entries = [];
        private readonly LinkedList<Entry> _byUse = new(); // used last is last
        private long _bytes;

        internal int Count
        {
            get
            {
                lock (this) return _entries.Count;
            }
        }

        internal Entry? Find(string key, long now)
        {
            if (!_entries.TryGetValue(key, out LinkedListNode<Entry>? node)) return null;
            if (node.Value.End <= now)
            {
                Remove(node.Value);
                return null;
            }
            _byUse.Remove(node);
            _byUse.AddLast(node);
            return node.Value;
        }

        internal void Put(string key, StoredValue value, long bytes, long end, int keysMax, long bytesMax)
        {
            if (_entries.TryGetValue(key, out LinkedListNode<Entry>? old)) Remove(old.Value);
            while (_entries.Count >= keysMax || (_bytes + bytes > bytesMax && _entries.Count > 0)) Remove(_byUse.First!.Value);
            _entries.Add(key, _byUse.AddLast(new Entry(key) { Value = value, Bytes = bytes, End = end }));
            _bytes += bytes;
        }

        internal void Remove(Entry entry)
        {
            if (!_entries.Remove(entry.Key, out LinkedListNode<Entry>? node)) return;
            _byUse.Remove(node);
            _bytes -= entry.Bytes;
        }
    }
}
