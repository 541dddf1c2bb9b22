using LoadBalancer.Limiting.Keys;

namespace LoadBalancer.Limiting.Rates;

/// <summary>
/// What has been taken of each key since somebody asked last: noted by any thread, asked by one. Thread-safe, lock-free, of a fixed size. Where
/// more keys come between two questions than there is room for, what they took is not noted, and counted as such: a limit goes on alone with those.
/// </summary>
public sealed class TakenCosts(int capacity) : KeyTable(capacity)
{
    /// <summary>Keys between two questions, where nothing else is said: 256 KiB, which a question walks through in 30 to 50 µs.</summary>
    public const int DefaultCapacity = 16_384;

    private long _overflow;

    /// <summary>Costs that there was no room for, since the start.</summary>
    public long OverflowTotal => Volatile.Read(ref _overflow);

    // Hot path: per request of a shared limit. 0 allocations. TakenCostsTests.ATakeThatIsNoted_AllocatesNothing
    internal void Add(ulong key, int cost)
    {
        int at = Find(key, 0);
        if (at >= 0) Interlocked.Add(ref State(at), cost);
        else Interlocked.Add(ref _overflow, cost);
    }

    /// <summary>What has been noted of a key and not been asked for.</summary>
    public long Of(ulong key)
    {
        int at = IndexOf(key);
        return at < 0 ? 0 : Volatile.Read(ref State(at));
    }

    /// <summary>Adds all that has been noted to a list, and forgets it here. Walks through the whole table: for a timer, not for a request.</summary>
    /// <returns>The sum of what was noted.</returns>
    public long Drain(List<KeyCost> into)
    {
        long sum = 0;
        for (int at = First, end = at + Capacity; at < end; at++)
        {
            if (Volatile.Read(ref State(at)) == 0) continue;
            // The owner first: it is replaced only while nothing is noted.
            ulong key = Owner(at);
            long cost = Interlocked.Exchange(ref State(at), 0);
            into.Add(new(key, cost));
            sum += cost;
        }
        return sum;
    }

    private protected override long Weight(long state, long now) => state;

    // What has been taken must be told.
    private protected override bool KeepsWhatCounts => true;
}

/// <summary>What has been taken of a key.</summary>
public readonly record struct KeyCost(ulong Key, long Cost);
