namespace LoadBalancer.Balancing;

/// <summary>Draws a seat by weight in constant time from one random number: Walker's alias method, in Vose's construction (1991).</summary>
internal sealed class AliasTable
{
    private readonly uint[] _keep; // chance to keep the column, times 2^32
    private readonly int[] _alias;
    private readonly bool _isUniform;

    internal AliasTable(ReadOnlySpan<int> weights)
    {
        int count = weights.Length;
        _keep = new uint[count];
        _alias = new int[count];
        _isUniform = !weights.ContainsAnyExcept(count == 0 ? 0 : weights[0]);
        if (_isUniform) return;

        double mean = 0;
        foreach (int weight in weights) mean += (double)weight / count;
        double[] rest = new double[count];
        var small = new Stack<int>(count);
        var large = new Stack<int>(count);
        for (int i = 0; i < count; i++)
        {
            rest[i] = weights[i] / mean;
            (rest[i] < 1 ? small : large).Push(i);
        }
        while (small.Count > 0 && large.Count > 0)
        {
            int poor = small.Pop(), rich = large.Pop();
            _keep[poor] = (uint)(rest[poor] * uint.MaxValue);
            _alias[poor] = rich;
            rest[rich] -= 1 - rest[poor];
            (rest[rich] < 1 ? small : large).Push(rich);
        }
        // What is left is full but for rounding: its alias is itself.
        foreach (int i in small.Concat(large)) _alias[i] = i;
    }

    /// <summary>Whether all weights are equal.</summary>
    internal bool IsUniform => _isUniform;

    /// <summary>The seat for 64 random bits: the upper half chooses a column, the lower between it and its alias.</summary>
    internal int At(ulong random)
    {
        int column = (int)((random >> 32) * (ulong)_keep.Length >> 32);
        return _isUniform || (uint)random < _keep[column] ? column : _alias[column];
    }
}
