namespace LoadBalancer.Balancing;

/// <summary>
/// Maglev's table: every destination has its own random order of all positions, and they take turns, by weight, to claim the next one in
/// their order that is still free.
/// </summary>
internal sealed class MaglevTable : HashTable
{
    // Primes, so that every step visits every position. 65537 is Maglev's own; at least 100 positions a destination keep shares within 1 %.
    private static readonly int[] s_lengths = [65_537, 131_101, 262_147, 524_309, 1_048_583, 2_097_169];
    private const int PositionsPerDestination = 100;

    internal MaglevTable(DestinationSet set)
    {
        int length = s_lengths[^1];
        for (int i = s_lengths.Length - 1; i >= 0 && s_lengths[i] >= (long)set.Count * PositionsPerDestination; i--) length = s_lengths[i];
        Owners = new int[set.Count == 0 ? 0 : length];
        if (set.Count == 0) return;

        Array.Fill(Owners, -1);
        int[] position = new int[set.Count], step = new int[set.Count];
        double[] credit = new double[set.Count];
        double weightMax = 0;
        for (int seat = 0; seat < set.Count; seat++)
        {
            ulong hash = set[seat].IdentityHash;
            position[seat] = (int)(hash % (uint)length);
            step[seat] = (int)(HashKeys.Mix(hash + HashKeys.GoldenRatio) % (uint)(length - 1)) + 1;
            weightMax = Math.Max(weightMax, set.Weights[seat]);
        }
        // Turns in an order that does not depend on the set's, so that a fleet agrees however each member lists the destinations.
        int[] order = [.. Enumerable.Range(0, set.Count).OrderBy(seat => set[seat].IdentityHash)];
        for (int claimed = 0; ;)
        {
            foreach (int seat in order)
            {
                credit[seat] += set.Weights[seat] / weightMax;
                if (credit[seat] < 1) continue;
                credit[seat]--;
                int at = position[seat];
                while (Owners[at] >= 0) at = Next(at, step[seat], length);
                Owners[at] = seat;
                position[seat] = Next(at, step[seat], length);
                if (++claimed == length) return;
            }
        }
    }

    internal override int[] Owners { get; }

    internal override int PositionOf(ulong key) => (int)Math.BigMul(HashKeys.Mix(key), (ulong)Owners.Length, out _);

    private static int Next(int at, int step, int length)
    {
        at += step;
        return at >= length ? at - length : at;
    }
}
