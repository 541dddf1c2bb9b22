namespace LoadBalancer.Balancing;

/// <summary>Each pick a draw by weight. No state is shared, and balancers that know nothing of each other never fall into step.</summary>
public sealed class RandomPolicy : IBalancingPolicy
{
    /// <inheritdoc/>
    public string Name => "random";

    /// <inheritdoc/>
    public IDestinationPicker Build(DestinationSet set, IDestinationPicker? previous) => new RandomPicker(set);
}

internal sealed class RandomPicker(DestinationSet set) : IDestinationPicker
{
    private const int DrawsMax = 64; // before all are looked at
    private readonly AliasTable _byWeight = new(set.Weights);

    /// <inheritdoc/>
    public Destination? Pick(in PickContext context)
    {
        if (set.Count == 0) return null;
        for (int draw = 0; draw < DrawsMax; draw++)
        {
            Destination candidate = Draw();
            if (!ReferenceEquals(candidate, context.Exclude) && !set.IsHeldBack(candidate, context.Timestamp) && candidate.TryReserve(context.Timestamp, out _)) return candidate;
        }
        return set.ReserveAny(set.Random.Next(set.Count), context.Exclude, context.Timestamp);
    }

    /// <summary>A destination by weight, whatever its state. The set must not be empty.</summary>
    internal Destination Draw() => set[_byWeight.At(set.Random.Next())];

    /// <inheritdoc/>
    public void Complete(Destination destination, int outstanding, in PickOutcome outcome, long now)
    {
    }
}
