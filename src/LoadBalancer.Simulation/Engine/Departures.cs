namespace LoadBalancer.Simulation.Engine;

/// <summary>
/// When each server finishes its next job, and which server is first: a tournament tree. A change walks from one leaf to the root and
/// ends early where nothing changes, with no comparison of more than two neighbours.
/// </summary>
internal sealed class Departures
{
    private readonly long[] _times; // a complete binary tree: node i has children 2i and 2i + 1, leaves from _leaves on
    private readonly int _leaves = 1;

    internal Departures(int servers)
    {
        while (_leaves < servers) _leaves *= 2;
        _times = new long[2 * _leaves];
        Array.Fill(_times, long.MaxValue);
    }

    /// <summary>When the next job is finished; <see cref="long.MaxValue"/> while none is.</summary>
    internal long NextTime => _times[1];

    /// <summary>Server that finishes it: the lowest of those that finish together.</summary>
    internal int First()
    {
        int node = 1;
        long time = _times[1];
        while (node < _leaves)
        {
            node *= 2;
            if (_times[node] != time) node++;
        }
        return node - _leaves;
    }

    internal void Set(int server, long time)
    {
        int node = _leaves + server;
        _times[node] = time;
        while (node > 1)
        {
            long earliest = Math.Min(_times[node], _times[node ^ 1]);
            node /= 2;
            if (_times[node] == earliest) return;
            _times[node] = earliest;
        }
    }
}
