namespace LoadBalancer.Balancing;

/// <summary>
/// Maps a turn number to a seat, so that over every cycle each seat gets exactly its share and the turns of a heavy one are spread over
/// the cycle instead of bunched. Immutable; a look-up takes constant time.
/// </summary>
internal sealed class TurnTable
{
    internal const int SequenceLengthMax = 4096;     // 16 KiB; a dozen seats with weights up to 1000 and no common divisor stay below
    private const long SequenceWorkMax = 1 << 20;    // steps to write a sequence out: 1 ms or so in every change of the set
    private const long CycleMax = int.MaxValue;      // the mapping multiplies two numbers below the cycle

    private readonly int _count;
    private readonly long _cycle;        // turns until the order repeats: the weights' sum over their greatest common divisor
    private readonly int[]? _sequence;   // the cycle written out, when it is short
    private readonly long[]? _upTo;      // else the running sums of the weights,
    private readonly int[]? _guide;      // where in them to begin to look for a point, by its place in the cycle (Chen and Asau 1974),
    private readonly long _stride;       // and how far along them a turn moves: prime to the cycle

    internal TurnTable(ReadOnlySpan<int> weights)
    {
        _count = weights.Length;
        if (_count == 0) return;
        int divisor = SmoothSequence.CommonDivisor(weights);
        int[] shares = new int[_count];
        for (int i = 0; i < _count; i++) _cycle += shares[i] = weights[i] / divisor;
        if (_cycle > CycleMax) _cycle = Shrink(shares, _cycle);
        if (_cycle == _count) return; // equal weights: the turn is the seat

        if (_cycle <= SequenceLengthMax && _cycle * _count <= SequenceWorkMax)
        {
            _sequence = SmoothSequence.Make(shares);
            return;
        }
        _upTo = new long[_count];
        long sum = 0;
        for (int i = 0; i < _count; i++) _upTo[i] = sum += shares[i];
        _guide = new int[_count];
        for (int i = 0, seat = 0; i < _count; i++)
        {
            // The least point with this place: ceiling of i * cycle / count.
            long point = (i * _cycle + _count - 1) / _count;
            while (_upTo[seat] <= point) seat++;
            _guide[i] = seat;
        }
        _stride = ChooseStride(_cycle);
    }

    /// <summary>Seat of a turn; any number is one.</summary>
    internal int At(ulong turn)
    {
        ulong cycle = (ulong)_cycle, place = turn % cycle;
        if (_sequence is not null) return _sequence[place];
        if (_upTo is null) return (int)place;
        ulong point = place * (ulong)_stride % cycle;
        int seat = _guide![(int)(point * (ulong)_count / cycle)];
        while ((ulong)_upTo[seat] <= point) seat++;
        return seat;
    }

    // Near the golden section of the cycle, so that consecutive turns fall far apart at every scale (Weyl); prime to it, so that a cycle
    // visits every unit of weight exactly once. The error in a window grows with the sum of the partial quotients of the fraction
    // stride / cycle (Kuipers and Niederreiter 1974, section 2.3), which the rounding of the golden section can make large.
    private static long ChooseStride(long cycle)
    {
        long golden = (long)(cycle * 0.6180339887498949), best = 0, lowest = long.MaxValue;
        for (long stride = Math.Max(1, golden - 100); stride <= golden + 100 && stride < cycle; stride++)
        {
            long sum = 0, a = cycle, b = stride;
            while (b != 0)
            {
                sum += a / b;
                (a, b) = (b, a % b);
            }
            if (a == 1 && sum < lowest) (best, lowest) = (stride, sum);
        }
        return best;
    }

    // More than 2000 seats with the largest weights: shares are rounded, by less than a thousandth of the mean.
    private static long Shrink(int[] shares, long cycle)
    {
        double factor = (double)(CycleMax - shares.Length) / cycle;
        long sum = 0;
        for (int i = 0; i < shares.Length; i++) sum += shares[i] = Math.Max(1, (int)(shares[i] * factor));
        return sum;
    }
}
