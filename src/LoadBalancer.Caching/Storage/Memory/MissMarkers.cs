using System.Numerics;

namespace LoadBalancer.Caching.Storage.Memory;

/// <summary>
/// Keys whose answers cannot be stored, until a time ("hit for miss"): requests for them go to the destination side by side, and never wait for each other. A fixed
/// table, buckets of four, the one that ends first makes room. Lock-free; a marker that is lost or read half-written costs one wait, no more.
/// </summary>
public sealed class MissMarkers
{
    private const int Ways = 4;
    private readonly Entry[] _entries;

    /// <param name="capacity">Markers, rounded up to a power of two; 16 bytes each. Default 16,384.</param>
    public MissMarkers(int capacity = 16 * 1024)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(capacity, 1 << 24);
        _entries = new Entry[BitOperations.RoundUpToPowerOf2((uint)Math.Max(capacity, Ways))];
    }

    /// <summary>Says that the answers to a key cannot be stored until then. Times are the caller's, all of one unit.</summary>
    public void Mark(UInt128 hash, long until)
    {
        ulong key = Key(hash);
        Span<Entry> bucket = Bucket(key);
        int at = 0;
        for (int i = 0; i < bucket.Length; i++)
        {
            if (Volatile.Read(ref bucket[i].Key) == key)
            {
                at = i;
                break;
            }
            if (Volatile.Read(ref bucket[i].Until) < Volatile.Read(ref bucket[at].Until)) at = i;
        }
        Volatile.Write(ref bucket[at].Key, key);
        Volatile.Write(ref bucket[at].Until, until);
    }

    /// <summary>Whether a key is marked.</summary>
    // Hot path: per miss. 0 allocations, no lock.
    public bool IsMarked(UInt128 hash, long now)
    {
        ulong key = Key(hash);
        foreach (ref Entry entry in Bucket(key))
        {
            if (Volatile.Read(ref entry.Key) == key) return Volatile.Read(ref entry.Until) > now;
        }
        return false;
    }

    /// <summary>Takes a marker back: the key's answer was stored.</summary>
    public void Unmark(UInt128 hash)
    {
        ulong key = Key(hash);
        foreach (ref Entry entry in Bucket(key))
        {
            if (Volatile.Read(ref entry.Key) == key) Volatile.Write(ref entry.Until, 0);
        }
    }

    private static ulong Key(UInt128 hash) => (ulong)hash is 0 ? 1 : (ulong)hash;

    private Span<Entry> Bucket(ulong key) => _entries.AsSpan(((int)(key >> 32) & (_entries.Length / Ways - 1)) * Ways, Ways);

    private struct Entry
    {
        internal ulong Key;
        internal long Until;
    }
}
