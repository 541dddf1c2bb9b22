namespace LoadBalancer.Balancing;

/// <summary>Draws a tier by its load, then lets that tier's picker choose. A tier at its limits overflows to the next ones.</summary>
internal sealed class TieredPicker : IDestinationPicker
{
    private readonly IDestinationPicker[] _pickers;
    private readonly double[] _upTo; // running sums of the loads
    private readonly PickRandom _random;

    internal TieredPicker(IDestinationPicker[] pickers, double[] loads, PickRandom random)
    {
        _pickers = pickers;
        _random = random;
        _upTo = new double[loads.Length];
        double sum = 0;
        for (int t = 0; t < loads.Length; t++) _upTo[t] = sum += loads[t];
    }

    /// <inheritdoc/>
    public Destination? Pick(in PickContext context)
    {
        int first = 0;
        if (_upTo[0] < 1)
        {
            double point = _random.NextDouble();
            while (first < _upTo.Length - 1 && _upTo[first] <= point) first++;
        }
        Destination? picked = null;
        for (int i = 0; i < _pickers.Length; i++)
        {
            int tier = first + i < _pickers.Length ? first + i : i - (_pickers.Length - first);
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

    private void GiveBack(Destination reserved, long now) => Of(reserved).Reserved(reserved, reserved.Release(), now);

    // A destination that has left keeps the tier it had, of perhaps more tiers than now.
    private IDestinationPicker Of(Destination destination) => _pickers[Math.Min(destination.Tier, _pickers.Length - 1)];
}
