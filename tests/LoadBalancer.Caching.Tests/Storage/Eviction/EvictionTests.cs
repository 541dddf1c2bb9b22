using System.Buffers.Binary;
using System.Globalization;
using LoadBalancer.Caching.Storage.Memory;

namespace LoadBalancer.Caching.Tests.Storage.Eviction;

/// <summary>How many requests the store answers, beside other ways to evict, over traces that are the same everywhere.</summary>
[Parallelizable(ParallelScope.All)]
public sealed class EvictionTests
{
    /// <summary>The store itself, with heads for weight.</summary>
    private sealed class StoreCache(long bytesMax) : ICountingCache
    {
        private readonly MemoryStore<TestHead> _store = new(new() { BytesMax = bytesMax, Shards = 1 });
        private readonly TestHead _head = new("");

        public string Name => "the store";

        public bool Request(int id, int size)
        {
            byte[] key = new byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(key, id);
            UInt128 hash = StoreFixture.Hasher.Hash(key);
            if (_store.TryFind(hash, key, default(NewestVariant<TestHead>), out _)) return true;
            var empty = new StoredObject<TestHead>(hash, key, _head, 0, null);
            var entry = new StoredObject<TestHead>(hash, key, _head, size - (int)empty.SizeBytes, null);
            _store.Put(entry, default(NewestVariant<TestHead>), 0, _store.PurgePosition);
            return false;
        }
    }

    private static double HitRatio(ICountingCache cache, Trace trace)
    {
        int hits = 0;
        foreach (int id in trace.Requests)
        {
            if (cache.Request(id, trace.Sizes[id])) hits++;
        }
        return (double)hits / trace.Requests.Length;
    }

    private static ICountingCache[] Caches(long bytesMax, Trace trace) =>
        [new LruCache(bytesMax), new StoreCache(bytesMax), new TinyLfuCache(bytesMax, (int)(bytesMax / trace.Sizes.Average())), new BeladyCache(bytesMax, trace.Requests)];

    [Test]
    public void StoreBeatsLruWhereObjectsAreSeenOnceAndIsCloseToTheBestKnown()
    {
        foreach (Trace trace in Trace.All(requests: 200_000, objects: 10_000))
        {
            long bytesMax = Math.Max(1024 * 1024, trace.FootprintBytes / 20);
            double[] ratios = [.. Caches(bytesMax, trace).Select(cache => HitRatio(cache, trace))];
            TestContext.Out.WriteLine($"{trace.Name}: {string.Join(", ", ratios.Select(ratio => ratio.ToString("P1", CultureInfo.InvariantCulture)))}");
            Assert.That(ratios[1], Is.GreaterThan(ratios[0]), $"LRU: {trace.Name}");
            Assert.That(ratios[1], Is.GreaterThan(ratios[2] - 0.04), $"W-TinyLFU: {trace.Name}");
            Assert.That(ratios[1], Is.LessThan(ratios[3] + (trace.Sizes.Distinct().Skip(1).Any() ? 0.1 : 0)), $"Belady: {trace.Name}");
        }
    }

    /// <summary>The table of bench/results/cache-eviction.md; takes minutes.</summary>
    internal static void WriteTable(TextWriter writer)
    {
        writer.WriteLine("| trace | size | LRU | the store | W-TinyLFU | Belady |\n|---|---:|---:|---:|---:|---:|");
        foreach (Trace trace in Trace.All(requests: 2_000_000, objects: 100_000))
        {
            long footprint = trace.FootprintBytes;
            foreach (int percent in new[] { 1, 5, 20 })
            {
                IEnumerable<string> ratios = Caches(footprint * percent / 100, trace).Select(cache => HitRatio(cache, trace).ToString("0.000", CultureInfo.InvariantCulture));
                writer.WriteLine($"| {trace.Name} | {percent} % | {string.Join(" | ", ratios)} |");
            }
        }
    }
}
