namespace LoadBalancer.Caching.Tests.Storage.Eviction;

/// <summary>Requests for objects by number, and the sizes of those; the same for a seed on every machine.</summary>
internal sealed class Trace
{
    internal required string Name { get; init; }

    internal required int[] Requests { get; init; }

    /// <summary>Bytes of each object.</summary>
    internal required int[] Sizes { get; init; }

    internal long FootprintBytes => Requests.Distinct().Sum(id => (long)Sizes[id]);

    internal static IEnumerable<Trace> All(int requests, int objects)
    {
        yield return Make("Zipf 0.8", requests, objects, 0.8);
        yield return Make("Zipf 1.0", requests, objects, 1.0);
        yield return Make("Zipf 1.0, sizes 1 to 64 KiB", requests, objects, 1.0, hasSizes: true);
        yield return Make("Zipf 1.0, popularity drifts", requests, objects, 1.0, drifts: true);
        yield return Make("Zipf 0.9, a third of requests once only", requests, objects, 0.9, onceShare: 0.33);
        yield return Make("Zipf 0.9, scans over everything", requests, objects, 0.9, scanLength: objects / 5);
        yield return Loop("loop over half of the objects, Zipf 0.9 beside it", requests, objects);
    }

    private static Trace Make(string name, int requests, int objects, double exponent, bool hasSizes = false, bool drifts = false, double onceShare = 0, int scanLength = 0)
    {
        var random = new Random(objects + name.Length);
        var zipf = new Zipf(objects, exponent, random);
        int[] trace = new int[requests];
        int next = objects, scanned = 0, scanLeft = 0;
        for (int i = 0; i < requests; i++)
        {
            // Every tenth of the run begins with a scan of a fifth of all objects, in order.
            if (scanLength > 0 && i % (requests / 10) == requests / 20) scanLeft = scanLength;
            if (scanLeft > 0 && random.Next(2) == 0)
            {
                scanLeft--;
                trace[i] = scanned++ % objects;
            }
            else if (onceShare > 0 && random.NextDouble() < onceShare)
            {
                trace[i] = next++;
            }
            else
            {
                int drift = drifts ? (int)((long)i * 20 / requests) : 0; // 20 times, everything else is popular
                trace[i] = (zipf.Next() + drift) % objects;
            }
        }
        int[] sizes = new int[next];
        for (int id = 0; id < next; id++) sizes[id] = hasSizes ? (int)Math.Pow(2, 10 + random.NextDouble() * 6) : 4096;
        return new() { Name = name, Requests = trace, Sizes = sizes };
    }

    private static Trace Loop(string name, int requests, int objects)
    {
        var random = new Random(objects);
        var zipf = new Zipf(objects, 0.9, random);
        int[] trace = new int[requests];
        for (int i = 0, at = 0; i < requests; i++) trace[i] = random.Next(2) == 0 ? objects + at++ % (objects / 2) : zipf.Next();
        int[] sizes = new int[objects + objects / 2];
        Array.Fill(sizes, 4096);
        return new() { Name = name, Requests = trace, Sizes = sizes };
    }

    /// <summary>Ranks by Zipf's law, spread over the numbers.</summary>
    private sealed class Zipf
    {
        private readonly double[] _sums;
        private readonly int[] _ids;
        private readonly Random _random;

        internal Zipf(int objects, double exponent, Random random)
        {
            _random = random;
            _sums = new double[objects];
            double sum = 0;
            for (int rank = 0; rank < objects; rank++) _sums[rank] = sum += Math.Pow(rank + 1, -exponent);
            _ids = [.. Enumerable.Range(0, objects)];
            random.Shuffle(_ids);
        }

        internal int Next()
        {
            int at = Array.BinarySearch(_sums, _random.NextDouble() * _sums[^1]);
            return _ids[Math.Min(at < 0 ? ~at : at, _ids.Length - 1)];
        }
    }
}
