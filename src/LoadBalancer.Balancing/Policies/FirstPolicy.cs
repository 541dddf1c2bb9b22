namespace LoadBalancer.Balancing;

/// <summary>
/// The first destination, in configured order, that is below its limit (HAProxy's "first"): packs the load on as few as can carry it, so
/// that the others can be switched off. Without limits everything goes to the first. Costs a look at every full one before it.
/// </summary>
public sealed class FirstPolicy : IBalancingPolicy
{
    /// <inheritdoc/>
    public string Name => "first";

    /// <inheritdoc/>
    public IDestinationPicker Build(DestinationSet set, IDestinationPicker? previous) => new FirstPicker(set);
}

internal sealed class FirstPicker(DestinationSet set) : IDestinationPicker
{
    /// <inheritdoc/>
    public Destination? Pick(in PickContext context) => set.ReserveAny(0, context.Exclude, context.Timestamp);

    /// <inheritdoc/>
    public void Complete(Destination destination, int outstanding, in PickOutcome outcome, long now)
    {
    }
}
