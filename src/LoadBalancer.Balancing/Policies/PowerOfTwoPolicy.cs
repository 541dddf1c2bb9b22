namespace LoadBalancer.Balancing;

/// <summary>
/// Draws two destinations by weight and takes the one with fewer picks under way for its weight (Mitzenmacher 2001; HAProxy's random(2)).
/// Constant time at any number, and balancers that see only their own picks do not herd.
/// </summary>
public sealed class PowerOfTwoPolicy : IBalancingPolicy
{
    /// <inheritdoc/>
    public string Name => "power-of-two";

    /// <inheritdoc/>
    public IDestinationPicker Build(DestinationSet set, IDestinationPicker? previous) => new PowerOfTwoPicker<OutstandingLoad>(set, default);
}

/// <summary>What of two candidates is compared; lower is better.</summary>
internal interface IDestinationLoad
{
    /// <summary>Load of a destination at a time.</summary>
    double Of(Destination destination, int weight, long now);

    /// <summary>The latency it assumes, in seconds; null for none. Changes nothing.</summary>
    double? LatencySecondsOf(Destination destination, long now);

    /// <summary>The load, for people. Changes nothing.</summary>
    double Peek(Destination destination, int weight, long now);

    /// <summary>A pick of it has ended.</summary>
    void Learn(Destination destination, in PickOutcome outcome, long now);
}

internal readonly struct OutstandingLoad : IDestinationLoad
{
    /// <inheritdoc/>
    public double Of(Destination destination, int weight, long now) => (double)destination.Outstanding / weight;

    /// <inheritdoc/>
    public double? LatencySecondsOf(Destination destination, long now) => null;

    /// <inheritdoc/>
    public double Peek(Destination destination, int weight, long now) => Of(destination, weight, now);

    /// <inheritdoc/>
    public void Learn(Destination destination, in PickOutcome outcome, long now)
    {
    }
}

/// <summary>Two draws and a comparison, for any measure of load.</summary>
internal sealed class PowerOfTwoPicker<TLoad>(DestinationSet set, TLoad load) : IDestinationPicker
    where TLoad : struct, IDestinationLoad
{
    private const int DrawsMax = 16; // for two different ones that may be used, before all are looked at
    private readonly AliasTable _byWeight = new(set.Weights);
    private TLoad _load = load;

    /// <inheritdoc/>
    public Destination? Pick(in PickContext context)
    {
        if (set.Count == 0) return null;
        long now = context.Timestamp;
        int first = -1;
        for (int draw = 0; draw < DrawsMax; draw++)
        {
            int seat = _byWeight.At(set.Random.Next());
            Destination candidate = set[seat];
            if (seat == first || ReferenceEquals(candidate, context.Exclude) || candidate.IsFull || set.IsHeldBack(candidate, now)) continue;
            if (first < 0)
            {
                first = seat;
                if (set.Count > 1) continue;
            }
            Destination other = set[first];
            bool isBetter = seat != first && _load.Of(candidate, set.Weights[seat], now) < _load.Of(other, set.Weights[first], now);
            Destination better = isBetter ? candidate : other, worse = isBetter ? other : candidate;
            if (better.TryReserve(now, out _)) return better;
            if (worse.TryReserve(now, out _)) return worse;
            first = -1;
        }
        if (first >= 0 && set[first].TryReserve(now, out _)) return set[first]; // it alone can be used, or nearly
        return set.ReserveAny(set.Random.Next(set.Count), context.Exclude, now);
    }

    /// <inheritdoc/>
    public DestinationScore Describe(Destination destination, long now)
    {
        int seat = set.SeatOf(destination);
        return seat < 0 ? default : new(_load.Peek(destination, set.Weights[seat], now), _load.LatencySecondsOf(destination, now));
    }

    /// <inheritdoc/>
    public void Complete(Destination destination, int outstanding, in PickOutcome outcome, long now) => _load.Learn(destination, outcome, now);
}
