namespace LoadBalancer.Balancing;

/// <summary>
/// Bounded loads (Mirrokni, Thorup and Zadimoghaddam 2018): no destination takes more than (1 + ε) times its share of the picks under way,
/// rounded up. What is beyond goes where the hash leads next, so that a hot key cannot drown its destination.
/// </summary>
internal sealed class LoadBound
{
    private readonly DestinationSet _set;
    private readonly double[]? _shares; // (1 + ε) of the whole; null for no bound
    private readonly PaddedCounter[] _total = new PaddedCounter[3];
    private readonly int _recountEvery;
    private int _untilRecount;

    internal LoadBound(DestinationSet set, double? slack)
    {
        _set = set;
        _recountEvery = Math.Max(256, set.Count);
        if (slack is null || set.Count == 0) return;
        double weights = 0;
        foreach (int weight in set.Weights) weights += weight;
        _shares = [.. set.Weights.ToArray().Select(weight => (1 + slack.Value) * weight / weights)];
        Recount();
    }

    /// <summary>Whether the destination may take one more.</summary>
    internal bool HasRoom(int seat) =>
        _shares is null || _set[seat].Outstanding < Math.Ceiling(_shares[seat] * (Volatile.Read(ref _total[1].Value) + 1));

    internal void Picked()
    {
        if (_shares is null) return;
        Interlocked.Increment(ref _total[1].Value);
        // Picks that a change of the set moved between pickers leave an error in the total, until all are counted again.
        if (--_untilRecount <= 0) Recount();
    }

    internal void Completed(Destination destination)
    {
        if (_shares is not null && _set.SeatOf(destination) >= 0) Interlocked.Decrement(ref _total[1].Value);
    }

    internal void Recount()
    {
        _untilRecount = _recountEvery;
        long total = 0;
        for (int seat = 0; seat < _set.Count; seat++) total += _set[seat].Outstanding;
        Volatile.Write(ref _total[1].Value, total);
    }
}
