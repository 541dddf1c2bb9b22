using LoadBalancer.Limiting.Keys;

namespace LoadBalancer.Limiting.Concurrency;

/// <summary>
/// At most so many at a time, for each key by itself. Thread-safe, lock-free. Where a bucket is full of keys that are all inside, a further key is let in without
/// being counted: with room for a few times the connections of a server that is one in a hundred thousand, and nobody can aim at it, as the hash is secret.
/// </summary>
public sealed class KeyedConcurrency : KeyTable
{
    /// <summary>The ticket of one who was not let in.</summary>
    public const int Refused = -1;

    /// <summary>The ticket of one who was let in without being counted.</summary>
    public const int Uncounted = -2;

    private long _uncountedTotal;

    /// <param name="max">For one key; at least 1.</param>
    /// <param name="capacity">Keys that are known at a time.</param>
    public KeyedConcurrency(int max, int capacity) : base(capacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(max, 1);
        Max = max;
    }

    /// <summary>Most at a time for one key.</summary>
    public int Max { get; }

    /// <summary>How many were let in without being counted.</summary>
    public long UncountedTotal => Volatile.Read(ref _uncountedTotal);

    // The state: how many are inside.
    private protected override long Weight(long state, long now) => state;

    private protected override bool KeepsWhatCounts => true;

    /// <summary>Lets one in: its ticket, for which <see cref="Leave"/> is owed exactly once, or <see cref="Refused"/>.</summary>
    public int TryEnter(ulong key)
    {
        while (true)
        {
            int at = Find(key, 0);
            if (at < 0)
            {
                Interlocked.Increment(ref _uncountedTotal);
                return Uncounted;
            }
            ref long state = ref State(at);
            long inside = Volatile.Read(ref state);
            if (inside >= Max)
            {
                if (Owner(at) == key) return Refused;
                continue;
            }
            if (Interlocked.CompareExchange(ref state, inside + 1, inside) != inside) continue;
            if (Owner(at) == key) return at;
            // The entry was given to another key between the look and the count.
            Interlocked.Decrement(ref state);
        }
    }

    /// <summary>One that was let in is gone.</summary>
    /// <param name="ticket">As it was given by <see cref="TryEnter"/>.</param>
    public void Leave(int ticket)
    {
        if (ticket >= 0) Interlocked.Decrement(ref State(ticket));
    }

    /// <summary>How many are inside.</summary>
    public long Inside(ulong key)
    {
        int at = IndexOf(key);
        return at < 0 ? 0 : Volatile.Read(ref State(at));
    }
}
