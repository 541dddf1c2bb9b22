using System.Globalization;
using LoadBalancer.Caching.Storage.Disk;
using LoadBalancer.Caching.Tests.Storage;
using LoadBalancer.Caching.Tests.Storage.Eviction;

namespace LoadBalancer.Caching.Tests;

/// <summary>
/// <c>write FOLDER SEED</c> is started by a test, to be killed: writes objects into a disk store, many at a time, replaces and purges them, and says so line by line.
/// <c>eviction</c> writes the table of bench/results/cache-eviction.md.
/// </summary>
internal static class Program
{
    private static async Task<int> Main(string[] arguments)
    {
        if (arguments is ["eviction"])
        {
            EvictionTests.WriteTable(Console.Out);
            return 0;
        }
        if (arguments is not ["write", string folder, string seed]) return 2;
        using DiskStore<TestHead> store = await DiskFixture.OpenAsync(DiskFixture.Options(folder, bytesMax: 16 * 1024 * 1024));
        var random = new Random(int.Parse(seed, CultureInfo.InvariantCulture));
        while (true)
        {
            var puts = new Task[3];
            for (int i = 0; i < puts.Length; i++)
            {
                int length = random.Next(4) == 0 ? random.Next(1_500_000) : random.Next(70_000);
                puts[i] = store.PutAsync($"/{random.Next(60)}", length, version: random.Next(1000), isLengthKnown: random.Next(2) == 0);
            }
            await Task.WhenAll(puts);
            string key = $"/{random.Next(60)}";
            if (random.Next(5) == 0) store.Purge(StoreFixture.Hash(key), StoreFixture.Key(key));
            await Console.Out.WriteLineAsync("written");
        }
    }
}
