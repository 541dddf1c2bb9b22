namespace LoadBalancer.Caching.Storage.Memory;

/// <summary>
/// The last purges, in order. A response that was asked for before a purge and arrives after it may be what was to go: whoever stores it says where the log
/// stood when its request was sent, and it is held against what was purged since. Where more came in between than the log remembers, it is not stored.
/// </summary>
internal sealed class PurgeLog
{
    internal const int Length = 1024;

    private readonly Entry[] _entries = new Entry[Length];
    private readonly Lock _gate = new();
    private long _position;

    internal long Position => Volatile.Read(ref _position);

    internal void AddKey(UInt128 hash) => Add(new(hash, null, null));

    internal void AddPrefix(ReadOnlySpan<byte> prefix) => Add(new(0, prefix.ToArray(), null));

    internal void AddTag(string tag) => Add(new(0, null, tag));

    internal bool HasPurgedSince<THead>(long position, StoredObject<THead> entry)
        where THead : class
    {
        if (position == Position) return false;
        lock (_gate)
        {
            if (_position - position > Length) return true;
            for (; position < _position; position++)
            {
                if (_entries[position % Length].Covers(entry)) return true;
            }
        }
        return false;
    }

    private void Add(Entry entry)
    {
        lock (_gate)
        {
            _entries[_position % Length] = entry;
            Volatile.Write(ref _position, _position + 1);
        }
    }

    private readonly record struct Entry(UInt128 Hash, byte[]? Prefix, string? Tag)
    {
        internal bool Covers<THead>(StoredObject<THead> entry)
            where THead : class
        {
            if (Prefix is not null) return entry.Key.AsSpan().StartsWith(Prefix);
            if (Tag is null) return Hash == entry.Hash;
            for (int i = 0; i < entry.Tags.Count; i++)
            {
                if (string.Equals(entry.Tags[i], Tag, StringComparison.Ordinal)) return true;
            }
            return false;
        }
    }
}
