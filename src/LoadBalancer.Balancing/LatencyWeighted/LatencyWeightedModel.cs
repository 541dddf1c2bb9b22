using System.Runtime.CompilerServices;

namespace LoadBalancer.Balancing;

/// <summary>What is learned of a destination: the logarithm of its latency in milliseconds, and its failure probability. Zero at first.</summary>
internal readonly record struct LatencyWeightedState(float LnLatency, float Failing)
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static LatencyWeightedState Unpack(long packed) =>
        new(BitConverter.Int32BitsToSingle((int)packed), BitConverter.Int32BitsToSingle((int)(packed >> 32)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal long Pack() => (long)BitConverter.SingleToInt32Bits(Failing) << 32 | (uint)BitConverter.SingleToInt32Bits(LnLatency);
}

/// <summary>
/// The mathematics of <see cref="LatencyWeightedPolicy"/>, without any state: how a completion changes what is known, and what a pick costs.
/// </summary>
internal sealed class LatencyWeightedModel
{
    private const float SuccessMin = 0.02f;         // bounds the price of failure to 2500 times
    private const float FailingMin = 1e-4f;         // is none
    private const float Forgotten = 1f / 16;        // reached after 2.8 recovery times
    private const float KeptOnFailure = 7f / 8;     // of the success probability: so a burst of failures counts, however short
    private const int SamplesToTrust = 8;           // until then the plain mean of the samples
    private const float MillisecondsMin = 1e-3f, MillisecondsMax = 3.6e6f;
    private const float Instant = 1e-3f;            // of a time constant: nothing has decayed

    private readonly double _millisecondsPerTick;
    private readonly float _perLatencyTime, _perIdleTime, _perSuccessTime, _perRecoveryTime; // per tick
    private readonly float _gainMax, _deadBand;
    private readonly bool _toLastByte;

    internal LatencyWeightedModel(LatencyWeightedOptions options, long timestampFrequency)
    {
        _millisecondsPerTick = 1000.0 / timestampFrequency;
        float PerTick(TimeSpan time) => (float)(1 / (time.TotalSeconds * timestampFrequency));
        _perLatencyTime = PerTick(options.LatencyTime);
        _perIdleTime = PerTick(options.IdleTime);
        _perSuccessTime = PerTick(options.SuccessTime);
        _perRecoveryTime = PerTick(options.RecoveryTime);
        _gainMax = options.GainMax;
        _deadBand = options.DeadBand;
        _toLastByte = options.ToLastByte;
    }

    /// <summary>Logarithm of a time in milliseconds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal float LnMilliseconds(long ticks) => Approximation.Log(Milliseconds(ticks));

    /// <summary>The latency that an outcome shows, in ticks. Without the connect: a new connection is the pool's matter, not the destination's.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal long LatencyOf(in PickOutcome outcome) =>
        (outcome.LatencyTicks >= 0 ? outcome.LatencyTicks : _toLastByte || outcome.FirstByteTicks < 0 ? outcome.TotalTicks : outcome.FirstByteTicks) - Math.Max(0, outcome.ConnectTicks);

    /// <summary>
    /// What is known after a completion. A failure moves the success average only, and by at least an eighth. A time-out or a cancelled
    /// exchange is a censored sample: all that is known is that the answer takes longer, so it counts where that is news.
    /// </summary>
    /// <param name="state">What was known.</param>
    /// <param name="samples">Latencies learned from before; counted up when this outcome has one.</param>
    /// <param name="elapsed">Ticks since the last completion.</param>
    /// <param name="outcome">The completion.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal LatencyWeightedState Learn(LatencyWeightedState state, ref int samples, long elapsed, in PickOutcome outcome)
    {
        PickOutcomeKind kind = outcome.Kind;
        float failing = state.Failing;
        if (kind == PickOutcomeKind.Success)
        {
            if (failing != 0)
            {
                failing *= Approximation.ExpOfMinus(elapsed * _perSuccessTime);
                if (failing < FailingMin) failing = 0;
            }
        }
        else if (kind != PickOutcomeKind.Cancelled)
        {
            failing = 1 - (1 - failing) * Approximation.ExpOfMinus(elapsed * _perSuccessTime) * KeptOnFailure;
        }

        float y;
        if (kind == PickOutcomeKind.Success) y = LnMilliseconds(LatencyOf(outcome));
        else if (kind is PickOutcomeKind.Timeout or PickOutcomeKind.Cancelled && samples > 0 && outcome.FirstByteTicks < 0)
        {
            y = LnMilliseconds(outcome.TotalTicks);
            if (y <= state.LnLatency) return state with { Failing = failing };
        }
        else return state with { Failing = failing };

        // 1 - e^-x, whose series is exact enough where the bound does not hold.
        float x = elapsed * _perLatencyTime;
        float gain = float.MinNative(x < 0.5f ? x - x * x * 0.5f : 0.5f, _gainMax);
        if (samples < SamplesToTrust) gain = float.MaxNative(gain, 1f / (samples + 1));
        samples++;
        return new(state.LnLatency + gain * (y - state.LnLatency), failing);
    }

    /// <summary>
    /// Logarithm of the price of one more pick, relative to a destination of mean latency without any: lower is better.
    /// </summary>
    /// <param name="state">What is known.</param>
    /// <param name="hasLatency">False while no latency is known: the mean is assumed.</param>
    /// <param name="mean">Logarithm of the mean latency of all destinations; NaN while there is none.</param>
    /// <param name="outstanding">Picks under way.</param>
    /// <param name="sinceLearned">Ticks since the last completion.</param>
    /// <param name="stall">Ticks since the last completion or since something is under way, whichever is less; of no effect without anything under way.</param>
    /// <param name="weighsFailure">False when all fail: then there is nothing to choose by it.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)] // one caller
    internal float Cost(LatencyWeightedState state, bool hasLatency, float mean, int outstanding, long sinceLearned, long stall, bool weighsFailure)
    {
        float difference = hasLatency ? state.LnLatency - mean : 0;
        if (float.IsNaN(difference)) difference = 0;
        // What is known of an idle destination goes stale. It returns to the mean, not to 0, or the worst would soon look the best.
        float idle = sinceLearned * _perIdleTime;
        if (idle > Instant && outstanding == 0) difference *= Approximation.ExpOfMinus(idle);

        // Of the branches here only those remain that go the same way nearly always: the others cost more than the arithmetic.
        float cost = Approximation.Log(outstanding + 1) + difference - float.ClampNative(difference, -_deadBand, _deadBand);

        if (stall > 0 && outstanding > 0)
        {
            // The time since the last completion, not the age of the oldest pick, which would punish whoever has one long answer under way.
            float typical = mean + difference, milliseconds = Milliseconds(stall);
            if (!Approximation.IsLogBelow(milliseconds, typical))
            {
                float over = Approximation.Log(milliseconds) - typical;
                if (over > 0) cost += over; // not when NaN
            }
        }
        if (state.Failing != 0 && weighsFailure)
        {
            float kept = Approximation.ExpOfMinus(sinceLearned * _perRecoveryTime);
            // Independent of the time scale: failing half the time costs as much as being four times as slow. Forgotten altogether in the
            // end, as among idle destinations any price but the lowest would never be tried again.
            if (kept > Forgotten) cost -= 2 * Approximation.Log(Math.Max(SuccessMin, 1 - state.Failing * kept));
        }
        return cost;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private float Milliseconds(long ticks) =>
        float.ClampNative((float)(ticks * _millisecondsPerTick), MillisecondsMin, MillisecondsMax);
}
