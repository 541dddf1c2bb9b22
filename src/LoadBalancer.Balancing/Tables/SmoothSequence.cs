namespace LoadBalancer.Balancing;

/// <summary>Greatest common divisor and the interleaved order of weighted turns.</summary>
internal static class SmoothSequence
{
    /// <summary>
    /// nginx's smooth weighted round robin (commit 52327e0627f4): everyone gains his weight, the richest is chosen and pays the sum.
    /// One cycle, as seats.
    /// </summary>
    internal static int[] Make(ReadOnlySpan<int> shares)
    {
        int cycle = 0;
        foreach (int share in shares) cycle += share;
        int[] sequence = new int[cycle];
        int[] current = new int[shares.Length];
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

    internal static int CommonDivisor(ReadOnlySpan<int> weights)
    {
        long divisor = 0;
        foreach (int weight in weights) divisor = CommonDivisor(divisor, weight);
        return (int)divisor;
    }

    internal static long CommonDivisor(long a, long b)
    {
        while (b != 0) (a, b) = (b, a % b);
        return a;
    }
}
