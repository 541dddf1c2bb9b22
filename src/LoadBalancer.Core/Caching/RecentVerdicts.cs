using LoadBalancer.Caching.Rules;

namespace LoadBalancer.Core.Caching;

/// <summary>
/// Why answers were not stored, for the keys that were asked for last: a fixed table in which a newer key takes the place of an older one. Thread-safe; an entry that is read half
/// written tells of another key, which is seen.
/// </summary>
internal sealed class RecentVerdicts
{
    private const int Capacity = 4096;
    private readonly Entry[] _entries = new Entry[Capacity];

    internal void Note(UInt128 hash, StoreVerdict verdict, long now)
    {
        ref Entry entry = ref _entries[(int)((ulong)hash % Capacity)];
        Volatile.Write(ref entry.Key, (ulong)(hash >> 64));
        Volatile.Write(ref entry.Value, now << 8 | (byte)verdict);
    }

    /// <summary>The last verdict on a key, and when it was given, in milliseconds since the Unix epoch; false where none is known.</summary>
    internal bool TryFind(UInt128 hash, out StoreVerdict verdict, out long at)
    {
        ref Entry entry = ref _entries[(int)((ulong)hash % Capacity)];
        long value = Volatile.Read(ref entry.Value);
        (verdict, at) = ((StoreVerdict)(value & 0xFF), value >> 8);
        return value != 0 && Volatile.Read(ref entry.Key) == (ulong)(hash >> 64);
    }

    private struct Entry
    {
        internal ulong Key;
        internal long Value;
    }
}
