using System.Numerics;
using LoadBalancer.Limiting.Keys;

namespace LoadBalancer.Gateway.Authorization.Lookups;

/// <summary>
/// Decisions by their keys, in sets of four, for all loops. Looked up without a lock; entries do not change, and are put in under one. Its memory is bounded: what takes
/// the place of another, or would be too much, has refusals go first (whoever guesses at tokens makes many), then what ends soonest.
/// </summary>
internal sealed class DecisionCache
{
    private const int Ways = 4;
    private const int EntryBytesMin = 512; // with its key, the least that one takes; so many there can be

    private readonly Entry?[] _entries;
    private readonly int _setMask;
    private readonly long _bytesMax;
    private readonly Lock _writing = new();
    private long _bytes;
    private int _hand;

    private sealed record Entry(ulong Hash, byte[] Key, Decision Decision, long ExpiresAt, long StaleUntil)
    {
        internal int Bytes { get; } = 128 + Key.Length + Decision.Bytes;

        internal bool Has(ulong hash, ReadOnlySpan<byte> key) => Hash == hash && key.SequenceEqual(Key);
    }

    internal DecisionCache(long bytesMax)
    {
        _bytesMax = bytesMax;
        int sets = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Clamp(bytesMax / EntryBytesMin / Ways, 16, 1 << 20));
        _entries = new Entry?[sets * Ways];
        _setMask = sets - 1;
    }

    /// <summary>Under which keys are hashed.</summary>
    internal KeySecret Secret { get; } = KeySecret.Random();

    internal long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>The decision that holds; null for none.</summary>
    /// <param name="hash">Of the key.</param>
    /// <param name="key">Compared in full: whoever finds two keys of one hash gains nothing.</param>
    /// <param name="now">Timestamp.</param>
    /// <param name="isStaleToo">Whether one that has ended is good too.</param>
    // Hot path: per request. 0 allocations, no lock.
    internal Decision? Find(ulong hash, ReadOnlySpan<byte> key, long now, bool isStaleToo = false)
    {
        int first = SetOf(hash);
        for (int i = first; i < first + Ways; i++)
        {
            if (Volatile.Read(ref _entries[i]) is { } entry && entry.Has(hash, key)) return now < (isStaleToo ? entry.StaleUntil : entry.ExpiresAt) ? entry.Decision : null;
        }
        return null;
    }

    /// <summary>Puts a decision in the place of any before.</summary>
    internal void Put(ulong hash, byte[] key, Decision decision, long now, long expiresAt, long staleUntil)
    {
        var added = new Entry(hash, key, decision, expiresAt, staleUntil);
        if (added.Bytes > _bytesMax / 16) return;
        lock (_writing)
        {
            int first = SetOf(hash), place = first;
            for (int i = first; i < first + Ways; i++)
            {
                Entry? entry = _entries[i];
                if (entry is null) place = i;
                else if (entry.Has(hash, key))
                {
                    place = i;
                    break;
                }
                else if (_entries[place] is { } chosen && Worth(entry, now) < Worth(chosen, now)) place = i;
            }
            Replace(place, added);
            // What else goes is where the hand is: as good as any.
            while (_bytes > _bytesMax)
            {
                _hand = (_hand + 1) % _entries.Length;
                if (_hand != place) Replace(_hand, null);
            }
        }
    }

    /// <summary>Forgets what was decided.</summary>
    internal void Remove(ulong hash, ReadOnlySpan<byte> key)
    {
        lock (_writing)
        {
            int first = SetOf(hash);
            for (int i = first; i < first + Ways; i++) if (_entries[i] is { } entry && entry.Has(hash, key)) Replace(i, null);
        }
    }

    private int SetOf(ulong hash) => ((int)hash & _setMask) * Ways;

    private void Replace(int place, Entry? entry)
    {
        Interlocked.Add(ref _bytes, (entry?.Bytes ?? 0) - (_entries[place]?.Bytes ?? 0));
        Volatile.Write(ref _entries[place], entry);
    }

    private static long Worth(Entry entry, long now) => (entry.ExpiresAt <= now ? long.MinValue / 2 : entry.Decision.Refusal is not null ? long.MinValue / 4 : 0) + entry.ExpiresAt;
}
