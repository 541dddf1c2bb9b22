using System.Numerics;

namespace LoadBalancer.Simulation;

/// <summary>The next time of each of a fixed number of sources, and which comes first: a tournament in an array, one comparison a level.</summary>
internal sealed class EventTree
{
    private readonly long[] _times;
    private readonly int[] _winners; // of node i its children's, 2i and 2i + 1; node 1 is the root
    private readonly int _leaves;

    internal EventTree(int sources)
    {
        _leaves = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(2, sources));
        _times = new long[_leaves];
        Array.Fill(_times, long.MaxValue);
        _winners = new int[2 * _leaves];
        for (int i = 0; i < _leaves; i++) _winners[_leaves + i] = i;
        for (int i = _leaves - 1; i >= 1; i--) _winners[i] = _winners[2 * i];
    }

    internal int First => _winners[1];

    internal long FirstTime => _times[_winners[1]];

    internal void Set(int source, long time)
    {
        if (_times[source] == time) return;
        _times[source] = time;
        for (int node = (_leaves + source) >> 1; node >= 1; node >>= 1)
        {
            int left = _winners[2 * node], right = _winners[2 * node + 1];
            _winners[node] = _times[right] < _times[left] ? right : left; // of equals the lower: the order is defined
        }
    }
}
