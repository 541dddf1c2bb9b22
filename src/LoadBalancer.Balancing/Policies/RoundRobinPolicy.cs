namespace LoadBalancer.Balancing;

/// <summary>
/// Weighted round robin: over every cycle each destination gets exactly its share, and the turns of a heavy one are spread over the
/// cycle instead of bunched. Lock-free: a pick is one increment of a shared turn number, which a table made beforehand maps to a
/// destination. The first turn is random, or every instance of a fleet would send its first request to the same destination.
/// </summary>
/// <param name="firstTurn">Turn to begin with; null (default) for a random one.</param>
public sealed class RoundRobinPolicy(long? firstTurn = null) : IBalancingPolicy
{
    /// <inheritdoc/>
    public string Name => "round-robin";

    /// <inheritdoc/>
    public IDestinationPicker Build(DestinationSet set, IDestinationPicker? previous) =>
        new RoundRobinPicker(set, (previous as RoundRobinPicker)?.Turns ?? new TurnCounter(firstTurn ?? (long)(set.Random.Next() >> 32)));
}

internal sealed class RoundRobinPicker(DestinationSet set, TurnCounter turns) : IDestinationPicker
{
    private const int DrawsMax = 64; // for another destination than the one that is excluded or full, before all are looked at
    private readonly TurnTable _table = new(set.Weights);

    /// <summary>Goes on through changes of the set.</summary>
    internal TurnCounter Turns => turns;

    /// <inheritdoc/>
    public Destination? Pick(in PickContext context)
    {
        if (set.Count == 0) return null;
        if (context.IsRepeated) return PickOther(set.Random.Next(), context);
        ulong turn = turns.Next();
        Destination picked = set[_table.At(turn)];
        if (!ReferenceEquals(picked, context.Exclude) && !set.IsHeldBack(picked, context.Timestamp) && picked.TryReserve(context.Timestamp, out _)) return picked;
        return PickOther(turn, context);
    }

    /// <inheritdoc/>
    public void Complete(Destination destination, int outstanding, in PickOutcome outcome, long now)
    {
    }

    // Drawn by share, from the turn number scrambled, or from chance where there is no turn. The next turn's would be the same neighbour each
    // time (a b c a b c: always b after a), and all the retries of a destination that fails would come down on it.
    private Destination? PickOther(ulong turn, in PickContext context)
    {
        for (uint draw = 0; draw < DrawsMax; draw++)
        {
            Destination candidate = set[_table.At(HashKeys.Mix(turn * DrawsMax + draw))];
            if (!ReferenceEquals(candidate, context.Exclude) && !set.IsHeldBack(candidate, context.Timestamp) && candidate.TryReserve(context.Timestamp, out _)) return candidate;
        }
        return set.ReserveAny(set.Random.Next(set.Count), context.Exclude, context.Timestamp);
    }
}
