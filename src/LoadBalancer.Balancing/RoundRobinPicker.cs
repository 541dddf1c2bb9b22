using System.Diagnostics;

namespace LoadBalancer.Balancing;

/// <summary>
/// Weighted round robin: over every cycle each destination gets exactly its share, and the turns of a heavy one are spread over the
/// cycle instead of bunched. Lock-free: a pick is one increment of a shared turn number, which a table made beforehand maps to a
/// destination. The first turn is random, or every instance of a fleet would send its first request to the same destination.
/// </summary>
public sealed class RoundRobinPicker : IDestinationPicker
{
    internal const int SequenceLengthMax = 4096; // 16 KiB a cluster; a dozen destinations with weights up to 1000 and no common divisor stay below
    private const int DrawsMax = 64;             // for another destination than the excluded one, before the neighbour is taken

    private const int TurnIndex = 1;             // element 0 keeps the turn number off the line of the array's length, which is read on every access
    private const int OutstandingIndex = 2;

    private readonly PaddedCounter[] _counters;
    private readonly int _count;
    private readonly long _cycle;        // turns until the order repeats: the weights' sum over their greatest common divisor
    private readonly int[]? _sequence;   // the cycle written out, when it is short
    private readonly long[]? _upTo;      // else the running sums of the weights,
    private readonly long _stride;       // and how far along them a turn moves: prime to the cycle

    /// <summary>Makes a picker for as many destinations as there are weights.</summary>
    /// <param name="weights">Shares, each 1 or more. Empty: <see cref="Pick"/> returns -1.</param>
    /// <param name="random">Draws the first turn: one with a seed for a repeatable run, null for the shared one.</param>
    /// <exception cref="ArgumentOutOfRangeException">A weight below 1 or above 1 000 000.</exception>
    public RoundRobinPicker(ReadOnlySpan<int> weights, Random? random = null)
        : this(weights, (random ?? Random.Shared).NextInt64(int.MaxValue))
    {
    }

    internal RoundRobinPicker(ReadOnlySpan<int> weights, long firstTurn)
    {
        _count = weights.Length;
        _counters = new PaddedCounter[OutstandingIndex + _count];
        if (_count == 0) return;

        int divisor = 0;
        foreach (int weight in weights)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(weight, 1, nameof(weights));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(weight, 1_000_000, nameof(weights));
            divisor = (int)GreatestCommonDivisor(divisor, weight);
        }
        long[] shares = new long[_count];
        for (int i = 0; i < _count; i++) _cycle += shares[i] = weights[i] / divisor;
        // The mapping multiplies two numbers below the cycle.
        ArgumentOutOfRangeException.ThrowIfGreaterThan(_cycle, int.MaxValue, nameof(weights));

        if (_cycle <= SequenceLengthMax)
        {
            _sequence = SmoothSequence(shares, (int)_cycle);
        }
        else
        {
            for (int i = 1; i < _count; i++) shares[i] += shares[i - 1];
            _upTo = shares;
            // Near the golden section of the cycle, so that consecutive turns fall far apart at every scale (Weyl); prime to it, so that
            // a cycle visits every unit of weight exactly once.
            _stride = (long)(_cycle * 0.6180339887498949);
            while (GreatestCommonDivisor(_stride, _cycle) != 1) _stride++;
        }
        _counters[TurnIndex].Value = firstTurn % _cycle - 1; // the first pick increments it
    }

    /// <summary>Number of destinations.</summary>
    public int Count => _count;

    /// <summary>Picks of a destination not completed yet.</summary>
    public int Outstanding(int destination)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)destination, (uint)_count, nameof(destination));
        return (int)Volatile.Read(ref _counters[OutstandingIndex + destination].Value);
    }

    /// <inheritdoc/>
    // Hot path: per attempt. 0 allocations. RoundRobinPickerTests.PickAndComplete_AnyWeights_AllocatesNothing
    public int Pick(in PickContext context)
    {
        if (_count == 0) return -1;
        long turn = Interlocked.Increment(ref _counters[TurnIndex].Value);
        int picked = _count == 1 ? 0 : At(turn);
        if (picked == context.Exclude && _count > 1) picked = Other(turn, picked);
        Interlocked.Increment(ref _counters[OutstandingIndex + picked].Value);
        return picked;
    }

    /// <inheritdoc/>
    public void Complete(int destination, in PickOutcome outcome)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)destination, (uint)_count, nameof(destination));
        long left = Interlocked.Decrement(ref _counters[OutstandingIndex + destination].Value);
        Debug.Assert(left >= 0, "a pick was completed twice");
    }

    private int At(long turn)
    {
        // The turn number would take centuries to become negative.
        long place = (long)((ulong)turn % (ulong)_cycle);
        if (_sequence is not null) return _sequence[place];
        long point = place * _stride % _cycle;
        int low = 0, high = _count - 1; // the first whose running sum is above the point
        while (low < high)
        {
            int middle = (low + high) >> 1;
            if (_upTo![middle] > point) high = middle;
            else low = middle + 1;
        }
        return low;
    }

    // Drawn by share, from the turn number scrambled. The next turn's would be the same neighbour each time (a b c a b c: always b
    // after a), and all the retries of a destination that fails would come down on it.
    private int Other(long turn, int excluded)
    {
        for (int draw = 0; draw < DrawsMax; draw++)
        {
            ulong scrambled = ((ulong)turn * DrawsMax + (ulong)draw) * 0x9E3779B97F4A7C15; // 2^64 / golden ratio
            int candidate = At((long)((scrambled ^ (scrambled >> 32)) >> 1));
            if (candidate != excluded) return candidate;
        }
        return (excluded + 1) % _count;
    }

    // nginx's smooth weighted round robin (commit 52327e0627f4): everyone gains his weight, the richest is chosen and pays the sum.
    private static int[] SmoothSequence(long[] shares, int cycle)
    {
        int[] sequence = new int[cycle];
        long[] current = new long[shares.Length];
        for (int turn = 0; turn < cycle; turn++)
        {
            int best = 0;
            for (int i = 0; i < shares.Length; i++)
            {
                current[i] += shares[i];
                if (current[i] > current[best]) best = i;
            }
            current[best] -= cycle;
            sequence[turn] = best;
        }
        return sequence;
    }

    private static long GreatestCommonDivisor(long a, long b)
    {
        while (b != 0) (a, b) = (b, a % b);
        return a;
    }
}
