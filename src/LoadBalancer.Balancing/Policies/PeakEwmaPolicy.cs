namespace LoadBalancer.Balancing;

/// <summary>
/// The better of two draws by Finagle's Peak-EWMA: a latency average that jumps up to every higher sample and decays towards lower ones,
/// times the picks under way plus one. Compatible with its weak points as well: failures count as latencies, and an idle destination's cost
/// decays to nothing. <see cref="LatencyWeightedPolicy"/> has neither.
/// </summary>
/// <param name="decayTime">Time constant; null for Finagle's 10 s.</param>
public sealed class PeakEwmaPolicy(TimeSpan? decayTime = null) : IBalancingPolicy
{
    /// <inheritdoc/>
    public string Name => "peak-ewma";

    /// <inheritdoc/>
    public IDestinationPicker Build(DestinationSet set, IDestinationPicker? previous) =>
        new PowerOfTwoPicker<PeakEwmaLoad>(set, new PeakEwmaLoad(decayTime ?? TimeSpan.FromSeconds(10), set.Options.TimestampFrequency));
}

internal readonly struct PeakEwmaLoad(TimeSpan decayTime, long timestampFrequency) : IDestinationLoad
{
    private const double Penalty = 1L << 47; // for one that has been given work and has not answered yet
    private readonly double _perDecay = 1 / (decayTime.TotalSeconds * timestampFrequency); // per tick
    private readonly double _nanosecondsPerTick = 1e9 / timestampFrequency;

    /// <inheritdoc/>
    public double Of(Destination destination, int weight, long now)
    {
        double cost = Observe(ref destination.Live, 0, now);
        int outstanding = destination.Outstanding;
        return cost == 0 && outstanding > 0 ? Penalty + outstanding : cost * (outstanding + 1);
    }

    /// <inheritdoc/>
    public void Learn(Destination destination, in PickOutcome outcome, long now) =>
        Observe(ref destination.Live, Math.Max(0, outcome.LatencyTicks >= 0 ? outcome.LatencyTicks : outcome.TotalTicks) * _nanosecondsPerTick, now);

    /// <inheritdoc/>
    public double? LatencySecondsOf(Destination destination, long now) => Cost(destination, now) is > 0 and double cost ? cost / 1e9 : null;

    /// <inheritdoc/>
    public double Peek(Destination destination, int weight, long now)
    {
        double cost = Cost(destination, now);
        int outstanding = destination.Outstanding;
        return cost == 0 && outstanding > 0 ? Penalty + outstanding : cost * (outstanding + 1);
    }

    // As an observation of nothing would leave it, without leaving it so.
    private double Cost(Destination destination, long now) => BitConverter.Int64BitsToDouble(Volatile.Read(ref destination.Live.Learned))
        * Math.Exp(-Math.Max(0, now - Volatile.Read(ref destination.Live.LearnedAt)) * _perDecay);

    // Finagle's PeakEwma.Metric.observe, whose mutex is an exchange here: an update lost under contention is a sample lost.
    private double Observe(ref LiveState live, double roundTrip, long now)
    {
        long known = Volatile.Read(ref live.Learned);
        double cost = BitConverter.Int64BitsToDouble(known);
        long before = Interlocked.Exchange(ref live.LearnedAt, now);
        double kept = Math.Exp(-Math.Max(0, now - before) * _perDecay);
        double next = roundTrip > cost ? roundTrip : cost * kept + roundTrip * (1 - kept);
        if (next != cost) Interlocked.CompareExchange(ref live.Learned, BitConverter.DoubleToInt64Bits(next), known);
        return next;
    }
}
