namespace LoadBalancer.Balancing;

/// <summary>A ring of hash values with 160 random points to a destination of mean weight; a key belongs to the next point.</summary>
internal sealed class KetamaRing : HashTable
{
    private const int PointsPerDestination = 160;
    private readonly uint[] _points;

    internal KetamaRing(DestinationSet set)
    {
        double weights = 0;
        foreach (int weight in set.Weights) weights += weight;
        var points = new List<(uint Point, ulong Hash, int Seat)>(set.Count * PointsPerDestination);
        for (int seat = 0; seat < set.Count; seat++)
        {
            int count = Math.Max(1, (int)(set.Weights[seat] / weights * set.Count * PointsPerDestination));
            for (int i = 0; i < count; i++)
            {
                ulong hash = HashKeys.Mix(set[seat].IdentityHash + (ulong)i * HashKeys.GoldenRatio);
                points.Add(((uint)(hash >> 32), hash, seat));
            }
        }
        points.Sort(); // points that coincide: by the whole hash, so that the order of the set does not matter
        _points = [.. points.Select(point => point.Point)];
        Owners = [.. points.Select(point => point.Seat)];
    }

    internal override int[] Owners { get; }

    internal override int PositionOf(ulong key)
    {
        uint point = (uint)(HashKeys.Mix(key) >> 32);
        int low = 0, high = _points.Length;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_points[middle] < point) low = middle + 1;
            else high = middle;
        }
        return low == _points.Length ? 0 : low;
    }
}
