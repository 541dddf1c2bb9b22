namespace LoadBalancer.Balancing;

/// <summary>
/// Highest random weight (Thaler and Ravishankar 1998): every destination draws a number for the request's hash key, and the highest, by
/// weight, has it. Only the keys of a destination that leaves move, and without a table; costs a hash for each, so meant for up to
/// some 64. Without a key: a draw by weight.
/// </summary>
/// <param name="slack">How far beyond its share a destination may be loaded before its keys overflow (ε of bounded loads); null for any. Default 0.25.</param>
public sealed class RendezvousPolicy(double? slack = 0.25) : IBalancingPolicy
{
    /// <inheritdoc/>
    public string Name => "rendezvous";

    /// <inheritdoc/>
    public IDestinationPicker Build(DestinationSet set, IDestinationPicker? previous) => new RendezvousPicker(set, new LoadBound(set, slack));
}

internal sealed class RendezvousPicker(DestinationSet set, LoadBound bound) : IDestinationPicker
{
    private readonly RandomPicker _random = new(set);
    private readonly bool _isUniform = !set.Weights.ContainsAnyExcept(set.Count == 0 ? 0 : set.Weights[0]);

    /// <inheritdoc/>
    public Destination? Pick(in PickContext context)
    {
        Destination? picked = context.HashKey == 0 ? null : Highest(context);
        if (picked is null || !picked.TryReserve(context.Timestamp, out _)) picked = _random.Pick(context);
        if (picked is not null) bound.Picked();
        return picked;
    }

    /// <inheritdoc/>
    public void Complete(Destination destination, int outstanding, in PickOutcome outcome, long now) => bound.Completed(destination);

    /// <inheritdoc/>
    public void Reserved(Destination destination, int outstanding, long now) => bound.Picked();

    /// <inheritdoc/>
    public void Attached() => bound.Recount();

    private Destination? Highest(in PickContext context)
    {
        ulong key = HashKeys.Mix(context.HashKey);
        Destination? best = null;
        double highest = -1;
        for (int seat = 0; seat < set.Count; seat++)
        {
            Destination candidate = set[seat];
            ulong draw = HashKeys.Mix(candidate.IdentityHash ^ key);
            // -w / ln u with u uniform in (0, 1): wins in proportion to w (Schindelhauer and Schomaker 2005).
            float u = ((draw >> 41) + 0.5f) * (1f / (1 << 23));
            // Rounding must not make it negative. With equal weights the draw itself is in the same order.
            double score = _isUniform ? draw : set.Weights[seat] / Math.Max(-Approximation.Log(u), float.Epsilon);
            if (score <= highest || candidate.IsFull || candidate.IsHeld(context.Timestamp) || ReferenceEquals(candidate, context.Exclude)) continue;
            if (bound.HasRoom(seat)) (best, highest) = (candidate, score);
        }
        return best;
    }
}
