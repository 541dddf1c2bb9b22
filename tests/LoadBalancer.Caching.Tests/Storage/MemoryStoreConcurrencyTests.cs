using System.Runtime.CompilerServices;
using LoadBalancer.Caching.Storage.Bodies;
using LoadBalancer.Caching.Storage.Memory;
using static LoadBalancer.Caching.Tests.Storage.StoreFixture;

namespace LoadBalancer.Caching.Tests.Storage;

/// <summary>Many threads on one store, with eviction all the time; each body says what it should be, and freed memory is poisoned.</summary>
public sealed class MemoryStoreConcurrencyTests
{
    private const int Keys = 600, Threads = 6;

    private sealed class Counts
    {
        internal long Hits, Stored;
    }

    [TestCase(1), TestCase(4), CancelAfter(120_000)]
    public void EveryServedBodyIsWholeAndNothingIsLeftOver(int shards, CancellationToken cancellation)
    {
        var store = new MemoryStore<TestHead>(new() { BytesMax = 4 * 1024 * 1024, InFlightBytesMax = 16 * 1024 * 1024, Shards = shards }, poisons: true);
        var counts = new Counts();
        Exception? failure = null;
        Thread[] threads = [.. Enumerable.Range(0, Threads).Select(seed => new Thread(() =>
        {
            try
            {
                Run(store, seed, counts, cancellation);
            }
            catch (Exception e)
            {
                failure = e;
            }
        }))];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
        Assert.That(failure, Is.Null);
        StoreStatistics statistics = store.GetStatistics();
        Assert.That(counts.Hits, Is.GreaterThan(10_000));
        Assert.That(counts.Stored, Is.EqualTo(statistics.Insertions));
        Assert.That(statistics.Evictions, Is.GreaterThan(1000));
        Assert.That(statistics.Bytes, Is.InRange(1, 4 * 1024 * 1024));
        store.PurgePrefix([]);
        statistics = store.GetStatistics();
        Assert.That((statistics.Objects, statistics.Bytes, store.Memory.Bytes, store.Memory.Blocks), Is.EqualTo((0, 0, 0, 0)));
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.That(store.Memory.LeakedBodies, Is.Zero);
    }

    private static int LengthOf(int key, int version) => 500 + (key * 7919 + version * 104729) % 20_000;

    // A head says its key and version; the body is described by both.
    private static ulong IdOf(int key, int version) => ((ulong)key << 16) | (uint)version;

    private static void Run(MemoryStore<TestHead> store, int seed, Counts counts, CancellationToken cancellation)
    {
        var random = new Random(seed);
        long hits = 0, stored = 0;
        for (int i = 0; i < 20_000 && !cancellation.IsCancellationRequested; i++)
        {
            int key = Math.Min(random.Next(Keys), random.Next(Keys)); // low ones are popular
            byte[] name = Key($"/{key % 7}/{key}");
            UInt128 hash = Hasher.Hash(name);
            if (store.TryFind(hash, name, new ByVariant($"{key}"), out StoreLease<TestHead> lease))
            {
                hits++;
                int version = lease.Head.Version;
                if (!IsWhole(lease.Body!, IdOf(key, version), LengthOf(key, version))) throw new InvalidOperationException($"key {key}, version {version}: wrong content");
                if (random.Next(50) == 0)
                {
                    StoredObject<TestHead> old = lease.Object;
                    if (store.Replace(old, new(hash, name, old.Head with { }, 100, old.Body, old.Tags), 0, store.PurgePosition) == PutResult.Stored) stored++;
                }
                if (random.Next(20) == 0) Thread.Yield();
                if (!IsWhole(lease.Body!, IdOf(key, version), LengthOf(key, version))) throw new InvalidOperationException($"key {key}, version {version}: content changed");
                lease.Release();
                if (random.Next(30) != 0) continue;
            }
            if (Store(store, key, name, hash, random)) stored++;
            Purge(store, key, name, hash, random);
        }
        Interlocked.Add(ref counts.Hits, hits);
        Interlocked.Add(ref counts.Stored, stored);
    }

    [MethodImpl(MethodImplOptions.NoInlining)] // so that nothing of it stays on the stack, and leaks are seen
    private static bool Store(MemoryStore<TestHead> store, int key, byte[] name, UInt128 hash, Random random)
    {
        long position = store.PurgePosition;
        int version = random.Next(1000);
        StoredBody body = Body(store.Memory, IdOf(key, version), LengthOf(key, version));
        var entry = new StoredObject<TestHead>(hash, name, new($"{key}", version), 100, body, [$"t{key % 50}"]);
        PutResult result = store.Put(entry, new ByVariant($"{key}"), 0, position);
        body.Release();
        return result == PutResult.Stored;
    }

    private static void Purge(MemoryStore<TestHead> store, int key, byte[] name, UInt128 hash, Random random)
    {
        switch (random.Next(2000))
        {
            case < 40:
                store.Purge(hash, name);
                break;
            case < 50:
                store.PurgeTag($"t{key % 50}");
                break;
            case < 53:
                store.PurgePrefix(Key($"/{key % 7}/"));
                break;
        }
    }
}
