using System.Numerics;
using System.Runtime.InteropServices;

namespace LoadBalancer.Limiting.Keys;

/// <summary>
/// A fixed number of entries, a 64-bit key and a 64-bit state each, found by key: eight places for each key (a bucket of two cache lines). Where all
/// are taken, the entry that loses least by being forgotten makes room. So ten million keys cost what one costs, and entries that count for something stay.
/// <para>Lock-free. Keys are replaced by compare-and-swap, states too. A key may be replaced between the look at it and the change of its state: the change then
/// counts for the entry's new owner. Two threads that bring in one key at once may make two entries, of which the first is used from then on. Both cost a
/// count of one, once.</para>
/// </summary>
public abstract class KeyTable
{
    /// <summary>Places for one key.</summary>
    public const int Ways = 8;

    /// <summary>Largest capacity: 1 GiB.</summary>
    public const int CapacityMax = 1 << 26;

    private const int ClaimAttempts = 4, LineBytes = 64, EntriesOfLine = 4;
    private readonly Entry[] _entries;
    private readonly int _bucketMask, _first;

    /// <param name="capacity">Entries, rounded up to a power of two; 16 bytes each.</param>
    private protected KeyTable(int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(capacity, CapacityMax);
        Capacity = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(capacity, Ways));
        _bucketMask = Capacity / Ways - 1;
        // Pinned, so that a bucket can begin where a cache line does.
        _entries = GC.AllocateArray<Entry>(Capacity + EntriesOfLine, pinned: true);
        nint address = Marshal.UnsafeAddrOfPinnedArrayElement(_entries, 0);
        _first = (int)(-address & (LineBytes - 1)) / (LineBytes / EntriesOfLine);
    }

    /// <summary>Entries that there is room for.</summary>
    public int Capacity { get; }

    /// <summary>Where a key stands; it is entered with state 0 where it was not there. -1 when it is not, and no entry may make room.</summary>
    // Hot path: per request. 0 allocations.
    private protected int Find(ulong key, long now)
    {
        int at = IndexOf(key);
        return at >= 0 ? at : Claim(key, now);
    }

    /// <summary>Where a key stands, or -1.</summary>
    private protected int IndexOf(ulong key)
    {
        int at = Bucket(key);
        for (int end = at + Ways; at < end; at++)
        {
            if (Volatile.Read(ref _entries[at].Key) == key) return at;
        }
        return -1;
    }

    /// <summary>Where the first entry stands; as many as <see cref="Capacity"/> follow each other.</summary>
    private protected int First => _first;

    private protected ref long State(int index) => ref _entries[index].State;

    private protected ulong Owner(int index) => Volatile.Read(ref _entries[index].Key);

    /// <summary>How much an entry counts for: the one with the least makes room. Not positive for one that is as good as none.</summary>
    private protected abstract long Weight(long state, long now);

    /// <summary>Whether an entry that counts for something must stay.</summary>
    private protected virtual bool KeepsWhatCounts => false;

    private int Bucket(ulong key) => _first + (int)(key & (uint)_bucketMask) * Ways;

    private int Claim(ulong key, long now)
    {
        int first = Bucket(key), least = first;
        for (int attempt = 0; attempt < ClaimAttempts; attempt++)
        {
            ulong leastKey = 0;
            long leastState = 0, leastWeight = long.MaxValue;
            for (int at = first; at < first + Ways; at++)
            {
                ulong owner = Owner(at);
                if (owner == key) return at; // another thread was first
                long state = Volatile.Read(ref _entries[at].State);
                long weight = owner == 0 ? long.MinValue : Weight(state, now);
                if (weight >= leastWeight) continue;
                least = at;
                (leastKey, leastState, leastWeight) = (owner, state, weight);
            }
            if (leastWeight > 0 && KeepsWhatCounts) return -1;
            if (Interlocked.CompareExchange(ref _entries[least].Key, key, leastKey) != leastKey) continue;
            // Whoever has changed the state meanwhile has done so for this key, or for the one that was here a moment ago.
            Interlocked.CompareExchange(ref _entries[least].State, 0, leastState);
            return least;
        }
        // Others replace faster than we look.
        return KeepsWhatCounts ? -1 : least;
    }

    private struct Entry
    {
        internal ulong Key;
        internal long State;
    }
}
