using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Core.Routing;

/// <summary>The clusters of a split with their shares. Immutable.</summary>
internal sealed class ClusterSplit
{
    private readonly ClusterSnapshot[] _clusters;
    private readonly int[] _upTo; // running sums of the shares

    internal ClusterSplit(IReadOnlyDictionary<string, int> shares, IReadOnlyDictionary<string, ClusterSnapshot> clusters)
    {
        KeyValuePair<string, int>[] used = [.. shares.Where(share => share.Value > 0)];
        _clusters = [.. used.Select(share => clusters[share.Key])];
        _upTo = new int[used.Length];
        int sum = 0;
        for (int i = 0; i < used.Length; i++) _upTo[i] = sum += used[i].Value;
    }

    /// <summary>One of them, by its share.</summary>
    // Hot path: per request of a route that splits. 0 allocations. A few clusters: no search tree.
    internal ClusterSnapshot Draw(Random random)
    {
        int point = random.Next(_upTo[^1]);
        int i = 0;
        while (_upTo[i] <= point) i++;
        return _clusters[i];
    }
}
