namespace LoadBalancer.Balancing;

/// <summary>
/// The destination that the request's hash key belongs to, so that equal keys meet the same caches; a change of the set moves few keys.
/// Constant time with Maglev, a binary search with ketama. Without a key: a draw by weight.
/// </summary>
/// <param name="kind">Layout of the table.</param>
/// <param name="slack">How far beyond its share a destination may be loaded before its keys overflow (ε of bounded loads); null for any. Default 0.25.</param>
public sealed class ConsistentHashPolicy(HashTableKind kind = HashTableKind.Maglev, double? slack = 0.25) : IBalancingPolicy
{
    /// <inheritdoc/>
    public string Name => "consistent-hash";

    /// <inheritdoc/>
    public IDestinationPicker Build(DestinationSet set, IDestinationPicker? previous) =>
        new ConsistentHashPicker(set, kind == HashTableKind.Maglev ? new MaglevTable(set) : new KetamaRing(set), new LoadBound(set, slack));
}

internal sealed class ConsistentHashPicker(DestinationSet set, HashTable table, LoadBound bound) : IDestinationPicker
{
    private const int WalkMax = 1024; // positions; a full destination is met again and again on the way
    private readonly RandomPicker _random = new(set);

    /// <inheritdoc/>
    public Destination? Pick(in PickContext context)
    {
        Destination? picked = context.HashKey == 0 || set.Count == 0 ? _random.Pick(context) : Walk(context);
        if (picked is not null) bound.Picked();
        return picked;
    }

    /// <inheritdoc/>
    public void Complete(Destination destination, int outstanding, in PickOutcome outcome, long now) => bound.Completed(destination);

    /// <inheritdoc/>
    public void Reserved(Destination destination, int outstanding, long now) => bound.Picked();

    /// <inheritdoc/>
    public void Attached() => bound.Recount();

    private Destination? Walk(in PickContext context)
    {
        int[] owners = table.Owners;
        int position = table.PositionOf(context.HashKey), refused = -1;
        for (int i = Math.Min(WalkMax, owners.Length); i > 0; i--)
        {
            int seat = owners[position];
            if (++position == owners.Length) position = 0;
            if (seat == refused) continue;
            Destination owner = set[seat];
            if (!ReferenceEquals(owner, context.Exclude) && !owner.IsHeld(context.Timestamp) && bound.HasRoom(seat) && owner.TryReserve(context.Timestamp, out _)) return owner;
            refused = seat;
        }
        return _random.Pick(context);
    }
}
