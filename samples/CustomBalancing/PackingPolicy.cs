using LoadBalancer.Balancing;

namespace LoadBalancer.Samples;

/// <summary>Packs requests on few servers, so that their caches are warm and the others may be switched off: the first that has fewer than so many under way, by weight.</summary>
public sealed class PackingPolicy(int perWeight) : IBalancingPolicy
{
    /// <inheritdoc/>
    public string Name => "packing";

    /// <inheritdoc/>
    public IDestinationPicker Build(DestinationSet set, IDestinationPicker? previous) => new Picker(set, perWeight); // anew for each change of the fleet; nothing to take over

    // Any thread, at the same time: what it keeps would need to be atomic. It keeps nothing, as destinations count themselves what is under way.
    private sealed class Picker(DestinationSet set, int perWeight) : IDestinationPicker
    {
        public Destination? Pick(in PickContext context)
        {
            for (int seat = 0; seat < set.Count; seat++)
                if (set[seat].Outstanding < set.Weights[seat] * perWeight && TryTake(seat, context)) return set[seat];
            for (int seat = 0; seat < set.Count; seat++) // all have as many as they are to have: then as many as they can
                if (TryTake(seat, context)) return set[seat];
            return null;
        }

        // What failed just now is not tried again while there is another; what is at its "requestsMax" refuses the reservation.
        private bool TryTake(int seat, in PickContext context) =>
            (!ReferenceEquals(set[seat], context.Exclude) || set.Count == 1) && set.TryReserve(seat, context.Timestamp);

        public void Complete(Destination destination, int outstanding, in PickOutcome outcome, long now)
        {
            // Policies that learn do so here, from outcome.Kind and the times in it.
        }
    }
}
