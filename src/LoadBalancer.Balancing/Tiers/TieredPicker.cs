namespace LoadBalancer.Balancing;

/// <summary>
/// Draws a tier by its load, then lets that tier's picker choose. A tier at its limits overflows: to the other zones' of the same priority or
/// the own one's, then to the next ones, then to those before. Requests with a hash key draw by it, so that equal keys meet in one tier.
/// </summary>
internal sealed class TieredPicker : IDestinationPicker
{
    private readonly IDestinationPicker[] _pickers;
    private readonly double[] _upTo; // running sums of the loads
    private readonly int[][] _orders; // by the tier drawn: all, as they are tried
    private readonly PickRandom _random;

    internal TieredPicker(IDestinationPicker[] pickers, Tier[] tiers, PickRandom random)
    {
        _pickers = pickers;
        _random = random;
        _upTo = new double[tiers.Length];
        double sum = 0;
        for (int t = 0; t < tiers.Length; t++) _upTo[t] = sum += tiers[t].Load;
        _orders = [.. tiers.Select((drawn, first) => Enumerable.Range(0, tiers.Length)
            .OrderBy(t => t == first ? 0 : tiers[t].Priority == drawn.Priority ? 1 : t > first ? 2 : 3).ToArray())];
    }

    /// <inheritdoc/>
    public Destination? Pick(in PickContext context)
    {
        int first = 0;
        if (_upTo[0] < 1)
        {
            // Mixed once more: what the tier's table does with the key must not follow from the tier.
            double point = context.HashKey == 0 ? _random.NextDouble() : (HashKeys.Mix(context.HashKey + HashKeys.GoldenRatio) >> 11) * (1.0 / (1ul << 53));
            while (first < _upTo.Length - 1 && _upTo[first] <= point) first++;
        }
        Destination? picked = null;
        foreach (int tier in _orders[first])
        {
            Destination? candidate = _pickers[tier].Pick(context);
            if (candidate is null) continue;
            if (picked is not null) GiveBack(picked, context.Timestamp);
            picked = candidate;
            // A tier that has nothing else gives the excluded one again, or one that asked to be left alone; another tier's are better.
            if (!ReferenceEquals(picked, context.Exclude) && !picked.IsHeld(context.Timestamp)) break;
        }
        return picked;
    }

    /// <inheritdoc/>
    public void Complete(Destination destination, int outstanding, in PickOutcome outcome, long now) =>
        Of(destination).Complete(destination, outstanding, outcome, now);

    /// <inheritdoc/>
    public void Reserved(Destination destination, int outstanding, long now) => Of(destination).Reserved(destination, outstanding, now);

    /// <inheritdoc/>
    public void Attached()
    {
        foreach (IDestinationPicker picker in _pickers) picker.Attached();
    }

    /// <inheritdoc/>
    public int TakeProbes(Span<Destination> targets)
    {
        int taken = 0;
        foreach (IDestinationPicker picker in _pickers) taken += picker.TakeProbes(targets[taken..]);
        return taken;
    }

    /// <inheritdoc/>
    public void Probed(Destination destination, in ProbeResult result, long now) => Of(destination).Probed(destination, result, now);

    /// <inheritdoc/>
    public DestinationScore Describe(Destination destination, long now) => Of(destination).Describe(destination, now);

    private void GiveBack(Destination reserved, long now) => Of(reserved).Reserved(reserved, reserved.Release(), now);

    // A destination that has left keeps the tier it had, of perhaps more tiers than now.
    private IDestinationPicker Of(Destination destination) => _pickers[Math.Min(destination.Tier, _pickers.Length - 1)];
}
