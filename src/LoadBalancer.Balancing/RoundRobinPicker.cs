using System.Runtime.InteropServices;

namespace LoadBalancer.Balancing;

/// <summary>
/// Weighted round-robin over a sequence worked out beforehand: nginx's smooth weighted order (each turn the destination with the largest
/// balance, which then pays the total), so equal weights alternate and heavy ones are spread. The start is random, so that balancers
/// started together do not march in step. One interlocked step a pick; nothing is learnt from completions but the outstanding count.
/// </summary>
public sealed class RoundRobinPicker : IDestinationPicker
{
    private const int SequenceMax = 1 << 16;
    private readonly int[] _sequence;
    private readonly PaddedCounter[] _outstanding;
    private PaddedCounter _turn;

    /// <summary>A picker over as many destinations as there are weights.</summary>
    /// <param name="weights">Each 1 or more, in any unit.</param>
    /// <param name="random">Source of the random start; null for the shared one.</param>
    public RoundRobinPicker(IReadOnlyList<int> weights, Random? random = null)
    {
        ArgumentNullException.ThrowIfNull(weights);
        foreach (int weight in weights) ArgumentOutOfRangeException.ThrowIfLessThan(weight, 1, nameof(weights));
        _outstanding = new PaddedCounter[weights.Count];
        _sequence = BuildSequence(weights);
        if (_sequence.Length > 0) _turn.Value = (random ?? Random.Shared).Next(_sequence.Length);
    }

    /// <summary>Picks that were not completed yet.</summary>
    public int Outstanding(int destination) => (int)Volatile.Read(ref _outstanding[destination].Value);

    /// <inheritdoc/>
    public int Pick(in PickContext context)
    {
        if (_sequence.Length == 0) return -1;
        int destination = Next();
        // Another one than the excluded, where there is another: it comes within one round.
        for (int i = 0; destination == context.Exclude && _outstanding.Length > 1 && i < _sequence.Length; i++) destination = Next();
        Interlocked.Increment(ref _outstanding[destination].Value);
        return destination;
    }

    /// <inheritdoc/>
    public void Complete(int destination, in PickOutcome outcome) => Interlocked.Decrement(ref _outstanding[destination].Value);

    private int Next() => _sequence[(int)((ulong)Interlocked.Increment(ref _turn.Value) % (ulong)_sequence.Length)];

    private static int[] BuildSequence(IReadOnlyList<int> weights)
    {
        if (weights.Count == 0) return [];
        int divisor = 0;
        foreach (int weight in weights) divisor = Gcd(divisor, weight);
        long total = 0;
        foreach (int weight in weights) total += weight / divisor;
        if (weights.All(w => w == weights[0])) return [.. Enumerable.Range(0, weights.Count)];
        // Longer sequences are cut to a bound by coarser weights; the error is below 1 in 65,536 of the traffic for each destination.
        double scale = total > SequenceMax ? (double)SequenceMax / total : 1;
        long[] shares = [.. weights.Select(w => Math.Max(1L, (long)(w / divisor * scale)))];
        long sum = shares.Sum();
        long[] balance = new long[weights.Count];
        int[] sequence = new int[sum];
        for (int turn = 0; turn < sequence.Length; turn++)
        {
            int best = 0;
            for (int i = 0; i < balance.Length; i++)
            {
                balance[i] += shares[i];
                if (balance[i] > balance[best]) best = i;
            }
            balance[best] -= sum;
            sequence[turn] = best;
        }
        return sequence;
    }

    private static int Gcd(int a, int b) => b == 0 ? a : Gcd(b, a % b);

    // A cache line (two, for the adjacent-line prefetcher) of its own, so that counters of different destinations do not slow each other.
    [StructLayout(LayoutKind.Explicit, Size = 128)]
    private struct PaddedCounter
    {
        [FieldOffset(64)] internal long Value;
    }
}
