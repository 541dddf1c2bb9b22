using System.Numerics;
using System.Runtime.InteropServices;

namespace LoadBalancer.Caching.Storage.Memory;

/// <summary>
/// Remembers the hashes of objects that were evicted young, as many as the caller says to look back: buckets of four, the oldest makes room. A fingerprint that two
/// keys share lets one of them into the main queue early, no more. Grows with the number of objects. Under the lock of its shard.
/// </summary>
internal sealed class GhostTable
{
    private const int Ways = 4;

    private Entry[] _entries = new Entry[64];
    private uint _clock = 1;

    internal void Add(UInt128 hash, int window)
    {
        if (window > _entries.Length / 2) Grow(window);
        Place(_entries, new() { Bucket = Bucket(hash), Fingerprint = Fingerprint(hash), Stamp = _clock++ });
        if (_clock == 0) Restart();
    }

    /// <summary>Whether it is remembered; if so, it is forgotten.</summary>
    internal bool Take(UInt128 hash, int window)
    {
        uint fingerprint = Fingerprint(hash);
        foreach (ref Entry entry in BucketOf(_entries, Bucket(hash)))
        {
            if (entry.Stamp == 0 || entry.Fingerprint != fingerprint) continue;
            bool isRecent = _clock - entry.Stamp <= (uint)window;
            entry = default;
            return isRecent;
        }
        return false;
    }

    // The table of objects takes the low bits of the lower half, the choice of the shard the high bits of the upper.
    private static uint Bucket(UInt128 hash) => (uint)((ulong)hash >> 32);

    private static uint Fingerprint(UInt128 hash) => (uint)(hash >> 64);

    private static Span<Entry> BucketOf(Entry[] entries, uint bucket) => entries.AsSpan((int)(bucket & (uint)(entries.Length / Ways - 1)) * Ways, Ways);

    private static void Place(Entry[] entries, Entry entry)
    {
        Span<Entry> bucket = BucketOf(entries, entry.Bucket);
        int oldest = 0;
        for (int i = 0; i < bucket.Length; i++)
        {
            if (bucket[i].Fingerprint == entry.Fingerprint && bucket[i].Stamp != 0)
            {
                oldest = i;
                break;
            }
            if (bucket[i].Stamp < bucket[oldest].Stamp) oldest = i;
        }
        bucket[oldest] = entry;
    }

    private void Grow(int window)
    {
        var entries = new Entry[(int)BitOperations.RoundUpToPowerOf2((uint)window * 3)];
        foreach (Entry entry in _entries)
        {
            if (entry.Stamp != 0) Place(entries, entry);
        }
        _entries = entries;
    }

    // After four billion evictions: what was remembered counts no more.
    private void Restart()
    {
        Array.Clear(_entries);
        _clock = 1;
    }

    [StructLayout(LayoutKind.Auto)]
    private struct Entry
    {
        internal uint Bucket, Fingerprint, Stamp; // Stamp 0: free
    }
}
