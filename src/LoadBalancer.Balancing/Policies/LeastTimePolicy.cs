namespace LoadBalancer.Balancing;

/// <summary>
/// nginx's least_time header (open source since 2025): the lowest average time to the first byte times connections plus one, by weight.
/// Compatible in its resolution too: whole milliseconds, compared in steps of 20, so that faster services are balanced by connections
/// alone. Equal ones take turns. Costs a look at each destination.
/// </summary>
/// <param name="failTime">nginx's fail_timeout, after which what is known of an idle destination begins to be halved; null for its 10 s.</param>
public sealed class LeastTimePolicy(TimeSpan? failTime = null) : IBalancingPolicy
{
    /// <inheritdoc/>
    public string Name => "least-time";

    /// <inheritdoc/>
    public IDestinationPicker Build(DestinationSet set, IDestinationPicker? previous) =>
        new LeastTimePicker(set, (long)(failTime ?? TimeSpan.FromSeconds(10)).TotalSeconds,
            (previous as LeastTimePicker)?.Turns ?? new TurnCounter(0));
}

internal sealed class LeastTimePicker(DestinationSet set, long failSeconds, TurnCounter turns) : IDestinationPicker
{
    private const long MillisecondsMax = 5000, Step = 20;
    private readonly TurnTable _table = new(set.Weights);
    private readonly long _frequency = set.Options.TimestampFrequency;

    internal TurnCounter Turns => turns;

    /// <inheritdoc/>
    public Destination? Pick(in PickContext context)
    {
        if (set.Count == 0) return null;
        long now = context.Timestamp;
        int start = context.IsRepeated ? set.Random.Next(set.Count) : _table.At(turns.Next());
        Destination? best = null;
        double lowest = double.PositiveInfinity;
        for (int i = 0; i < set.Count; i++)
        {
            int seat = start + i < set.Count ? start + i : start + i - set.Count;
            Destination candidate = set[seat];
            double score = (double)Time(candidate, now) * (1 + candidate.Outstanding) / set.Weights[seat];
            if (score >= lowest || candidate.IsFull || ReferenceEquals(candidate, context.Exclude) || set.IsHeldBack(candidate, now)) continue;
            (best, lowest) = (candidate, score);
        }
        return best is not null && best.TryReserve(now, out _) ? best : set.ReserveAny(start, context.Exclude, now);
    }

    /// <inheritdoc/>
    public DestinationScore Describe(Destination destination, long now)
    {
        int seat = set.SeatOf(destination);
        if (seat < 0) return default;
        long known = Volatile.Read(ref destination.Live.Learned);
        return new((double)Time(destination, now) * (1 + destination.Outstanding) / set.Weights[seat], known == 0 ? null : known / 1000.0);
    }

    /// <inheritdoc/>
    public void Complete(Destination destination, int outstanding, in PickOutcome outcome, long now)
    {
        if (outcome.Kind != PickOutcomeKind.Success) return;
        ref LiveState live = ref destination.Live;
        long ticks = outcome.FirstByteTicks < 0 ? outcome.TotalTicks : outcome.FirstByteTicks;
        long milliseconds = Math.Max(0, ticks) * 1000 / _frequency;
        long known = Volatile.Read(ref live.Learned);
        long next = known == 0 ? milliseconds : (long)(0.5 + 0.05 * milliseconds + 0.95 * known);
        Interlocked.CompareExchange(ref live.Learned, next, known); // lost under contention: a sample less
        Volatile.Write(ref live.LearnedAt, now);
    }

    private long Time(Destination destination, long now)
    {
        ref LiveState live = ref destination.Live;
        long time = Volatile.Read(ref live.Learned);
        long idleSeconds = Math.Max(0, now - Volatile.Read(ref live.LearnedAt)) / _frequency;
        time >>= (int)Math.Min(62, idleSeconds / (failSeconds + 1));
        return time > MillisecondsMax ? MillisecondsMax : time + Step - time % Step;
    }
}
