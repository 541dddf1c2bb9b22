namespace LoadBalancer.Balancing;

/// <summary>
/// The default. A destination's price is its typical latency times the picks it has under way plus one, raised for stalls and failures:
/// ln price = d + ln(outstanding + 1) + max(0, ln(stall) - s) - 2 ln(success) - ln(weight), where s averages the logarithm of the latency
/// and d is its distance to the mean of all, less a dead band. The lowest price is picked; among equals by chance. Logarithms make the
/// average robust against single long answers; the dead band makes equal destinations exactly least-outstanding; failures cost, so that a
/// destination that fails fast attracts nothing; both are forgotten while it idles, so that one that has recovered is tried again.
/// </summary>
/// <param name="options">Null for the defaults.</param>
public sealed class LatencyWeightedPolicy(LatencyWeightedOptions? options = null) : IBalancingPolicy
{
    /// <inheritdoc/>
    public string Name => "latency-weighted";

    /// <inheritdoc/>
    public IDestinationPicker Build(DestinationSet set, IDestinationPicker? previous) =>
        new LatencyWeightedPicker(set, new LatencyWeightedModel(options ?? new(), set.Options.TimestampFrequency), previous as LatencyWeightedPicker);
}

/// <summary>
/// Prices lie packed on a board. The price of a destination is written anew when a pick of it begins or ends; the parts that change with
/// time alone (stall, recovery, idling, the mean) are brought up to date every millisecond by whichever pick comes first.
/// </summary>
internal sealed class LatencyWeightedPicker : IDestinationPicker
{
    private const float PriceUnit = 1 << 20;             // of the integer prices to a unit of the logarithm
    private const int CrowdPrice = (int)(0.7f * PriceUnit); // a price that has about doubled between look and reservation
    private const int RefreshMax = 256;                  // destinations at a time
    private const float MeanGain = 1f / 200;             // of one completion on the mean of all
    private const float AllFailing = 0.8f;
    private const float HoldPrice = 20;                  // above any other: used only when all are held

    // How much the price rises with the count: from ln n to ln (n + 1).
    private static readonly int[] s_steps = [.. Enumerable.Range(0, 1024).Select(n => n == 0 ? 0 : (int)((Approximation.Log(n + 1) - Approximation.Log(n)) * PriceUnit))];

    private readonly DestinationSet _set;
    private readonly LatencyWeightedModel _model;
    private readonly ScoreBoard _board;
    private readonly float[] _lnWeights;
    private readonly int[] _samplesSeen;                 // of each destination, by the last refresh
    private readonly long _refreshTicks;
    private readonly PaddedCounter[] _nextRefresh = new PaddedCounter[3]; // the middle one is read by every pick
    private int _refreshing;                             // 1 while a thread does; the others do not wait for it
    private int _refreshFrom;
    private float _mean = float.NaN;
    private long _meanSamples;
    private bool _weighsFailure = true;
    private float _leastFailing = 1;

    internal LatencyWeightedPicker(DestinationSet set, LatencyWeightedModel model, LatencyWeightedPicker? previous)
    {
        _set = set;
        _model = model;
        _board = new ScoreBoard(set.Count, set.Random);
        _lnWeights = [.. set.Weights.ToArray().Select(weight => Approximation.Log(weight))];
        _refreshTicks = Math.Max(1, set.Options.TimestampFrequency / 1000);
        _nextRefresh[1].Value = long.MinValue;
        _samplesSeen = new int[set.Count];
        for (int seat = 0; seat < set.Count; seat++)
        {
            _samplesSeen[seat] = set[seat].Live.Samples;
            // A limit that is reached is seen here, all else at the first pick.
            _board.SetLazily(seat, set[seat].IsFull ? ScoreBoard.None : 0);
        }
        if (previous is null) return;
        (_mean, _meanSamples, _weighsFailure) = (previous._mean, previous._meanSamples, previous._weighsFailure);
    }

    /// <summary>Logarithm of the mean latency in milliseconds; NaN while none is known.</summary>
    internal float Mean => Volatile.Read(ref _mean);

    // Hot path: per attempt. 0 allocations. PolicyTests.PickAndComplete_AnyPolicy_AllocatesNothing
    /// <inheritdoc/>
    public Destination? Pick(in PickContext context)
    {
        long now = context.Timestamp;
        if (now >= Volatile.Read(ref _nextRefresh[1].Value)) Refresh(now);
        int but = context.Exclude is null ? -1 : _set.SeatOf(context.Exclude);
        for (int attempt = 0; attempt < 3; attempt++)
        {
            int seat = _board.FindLowest(but, out int price);
            if (seat < 0) break;
            Destination picked = _set[seat];
            if (!picked.TryReserve(now, out int outstanding))
            {
                _board.SetLazily(seat, ScoreBoard.None);
                continue;
            }
            if (_board[seat] == price && outstanding < s_steps.Length && outstanding < picked.OutstandingMax)
            {
                // The usual case: only the count has changed. What else has, the next refresh sees.
                _board.SetLazily(seat, price + s_steps[outstanding]);
                return picked;
            }
            // Others have picked the same since the look. If they make a crowd, look once more.
            if (attempt == 0 && Price(seat, outstanding - 1, now) - (long)price > CrowdPrice)
            {
                _board.SetLazily(seat, Price(seat, picked.Release(), now));
                continue;
            }
            _board.SetLazily(seat, Price(seat, outstanding, now));
            return picked;
        }
        Destination? any = _set.Count == 0 ? null : _set.ReserveAny(_set.Random.Next(_set.Count), context.Exclude, now);
        if (any is not null) Reserved(any, any.Outstanding, now);
        return any;
    }

    /// <inheritdoc/>
    public void Complete(Destination destination, int outstanding, in PickOutcome outcome, long now)
    {
        Learn(destination, outcome, now);
        int seat = _set.SeatOf(destination);
        if (seat >= 0) _board.SetLazily(seat, Price(seat, outstanding, now));
    }

    /// <inheritdoc/>
    public void Reserved(Destination destination, int outstanding, long now)
    {
        int seat = _set.SeatOf(destination);
        if (seat >= 0) _board.SetLazily(seat, Price(seat, outstanding, now));
    }

    /// <inheritdoc/>
    public DestinationScore Describe(Destination destination, long now)
    {
        int seat = _set.SeatOf(destination);
        if (seat < 0) return default;
        LatencyWeightedState known = LatencyWeightedState.Unpack(Volatile.Read(ref destination.Live.Learned));
        int price = Price(seat, destination.Outstanding, now);
        return new(price == ScoreBoard.None ? null : price / (double)PriceUnit, destination.Live.Samples == 0 ? null : Math.Exp(known.LnLatency) / 1000, known.Failing);
    }

    private void Learn(Destination destination, in PickOutcome outcome, long now)
    {
        ref LiveState live = ref destination.Live;
        long learnedAt = Volatile.Read(ref live.LearnedAt);
        long elapsed = learnedAt == 0 ? 0 : Math.Max(0, now - learnedAt);
        // Written without an exchange, which would cost as much as all the arithmetic: of two completions at the same moment one may be
        // lost, and one sample says nothing. Torn it cannot be.
        int samples = live.Samples, before = samples;
        long known = Volatile.Read(ref live.Learned);
        long learned = _model.Learn(LatencyWeightedState.Unpack(known), ref samples, elapsed, outcome).Pack();
        if (learned != known) Volatile.Write(ref live.Learned, learned);
        if (samples != before) live.Samples = samples;
        // An exchange that was given up shows no life of the destination: its stall goes on.
        if (outcome.Kind != PickOutcomeKind.Cancelled && now > learnedAt) Volatile.Write(ref live.LearnedAt, now);
    }

    private int Price(int seat, int outstanding, long now)
    {
        Destination destination = _set[seat];
        if (outstanding >= destination.OutstandingMax) return ScoreBoard.None;
        ref LiveState live = ref destination.Live;
        long learnedAt = Volatile.Read(ref live.LearnedAt);
        long stall = now - Math.Max(learnedAt, Volatile.Read(ref live.BusySince));
        float cost = _model.Cost(LatencyWeightedState.Unpack(Volatile.Read(ref live.Learned)), live.Samples > 0, _mean, outstanding, now - learnedAt, stall, _weighsFailure);
        cost -= _lnWeights[seat];
        if (destination.IsHeld(now)) cost += HoldPrice;
        if (destination.AdmittedAt != long.MinValue) cost -= Approximation.Log(_set.Ramp(destination, now));
        return (int)(cost * PriceUnit);
    }

    // Once a millisecond: brings some hundred destinations up to date, and the mean.
    private void Refresh(long now)
    {
        if (Interlocked.CompareExchange(ref _refreshing, 1, 0) != 0) return;
        int count = Math.Min(_set.Count, RefreshMax), seat = _refreshFrom;
        MoveMean(seat, count);
        for (int i = 0; i < count; i++)
        {
            Destination destination = _set[seat];
            _leastFailing = Math.Min(_leastFailing, LatencyWeightedState.Unpack(Volatile.Read(ref destination.Live.Learned)).Failing);
            _board.SetLazily(seat, Price(seat, destination.Outstanding, now));
            if (++seat < _set.Count) continue;
            seat = 0;
            _weighsFailure = _leastFailing < AllFailing; // all seen
            _leastFailing = 1;
        }
        _refreshFrom = seat;
        Volatile.Write(ref _nextRefresh[1].Value, now + _refreshTicks);
        Volatile.Write(ref _refreshing, 0);
    }

    // As if every completion since the last time had moved the mean by a 200th towards its destination's average.
    private void MoveMean(int seat, int count)
    {
        long completions = 0;
        double sum = 0;
        for (int i = 0; i < count; i++)
        {
            ref LiveState live = ref _set[seat].Live;
            int samples = live.Samples, more = samples - _samplesSeen[seat];
            if (more > 0)
            {
                completions += more;
                sum += (double)more * LatencyWeightedState.Unpack(Volatile.Read(ref live.Learned)).LnLatency;
            }
            _samplesSeen[seat] = samples;
            if (++seat == _set.Count) seat = 0;
        }
        if (completions == 0) return;
        _meanSamples += completions;
        double average = sum / completions;
        double gain = Math.Max(1 - Approximation.ExpOfMinus(completions * MeanGain), (double)completions / _meanSamples);
        Volatile.Write(ref _mean, (float)(float.IsNaN(_mean) ? average : _mean + gain * (average - _mean)));
    }
}
