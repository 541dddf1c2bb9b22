using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
using StackExchange.Redis;

namespace LoadBalancer.Redis.Tests;

/// <summary>Nodes before a real Redis. Buckets fill by a token in hours, so that the time a test takes does not count.</summary>
[TestFixture, FixtureLifeCycle(LifeCycle.InstancePerTestCase), CancelAfter(120_000)]
public sealed class SharingTests : IAsyncDisposable
{
    private const ulong Key = 0xABCD_EF01_2345_6789;

    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly int _port = SystemProgram.FreePort();
    private readonly List<IAsyncDisposable> _ends = [];
    private RunningProgram _redis = null!;

    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    private RedisOptions Options => new() { Endpoints = [$"127.0.0.1:{_port}"], Secret = "0123456789abcdef" };

    [SetUp]
    public async Task StartAsync() => _redis = await PeerServers.StartRedisAsync(_port, Token);

    public async ValueTask DisposeAsync()
    {
        foreach (IAsyncDisposable end in _ends) await end.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Test]
    public async Task WhatOneNodeGave_AnotherDoesNotGiveAgain()
    {
        Node a = await ConnectedAsync(), b = await ConnectedAsync();
        for (int i = 0; i < 60; i++) Assert.That(a.Take(Key), Is.True);
        await a.SyncAsync(Token);
        Assert.That(a.Remaining(Key), Is.EqualTo(40), "its own word changes nothing for it");
        Assert.That(b.Take(Key, cost: 5), Is.True);
        await b.SyncAsync(Token);
        Assert.That(b.Remaining(Key), Is.EqualTo(35));
        Assert.That(b.TakeAll(Key), Is.EqualTo(35));
        Assert.That(b.Remaining(Key + 1), Is.EqualTo(100), "another key has its own");
        await b.SyncAsync(Token);
        Assert.That(a.Take(Key), Is.True, "it has not heard of it");
        await a.SyncAsync(Token);
        Assert.That(a.Take(Key), Is.False);
    }

    [Test]
    public async Task WhatIsTakenWhileAWordIsUnderWay_CountsOnTop()
    {
        Node a = await ConnectedAsync(), b = await ConnectedAsync();
        a.Take(Key, 50);
        await a.SyncAsync(Token);
        b.Take(Key, 10);
        Task sync = b.SyncAsync(Token); // its answer says 60
        b.Take(Key, 7);
        await sync;
        Assert.That(b.Remaining(Key), Is.EqualTo(33));
    }

    [Test]
    public async Task WhatWasTooMuch_IsPaidBack()
    {
        Node a = await ConnectedAsync(), b = await ConnectedAsync();
        Assert.That(a.TakeAll(Key) + b.TakeAll(Key), Is.EqualTo(200), "before they hear of each other each gives a burst");
        await a.SyncAsync(Token);
        await b.SyncAsync(Token);
        _time.Advance(Node.Interval * 100);
        Assert.That((a.Take(Key), b.Take(Key)), Is.EqualTo((true, false)), "only the first has not heard of the second's");
        _time.Advance(Node.Interval * 2);
        Assert.That(b.Take(Key), Is.True);
    }

    [Test]
    public async Task UnderLoadFromManyThreads_NothingIsLostAndNothingCountsTwice()
    {
        Node a = await ConnectedAsync(), b = await ConnectedAsync();
        ulong[] keys = [.. Enumerable.Range(1, 1000).Select(i => (ulong)i * 0x9E37_79B9_7F4A_7C15)];
        // Known, so that no two threads bring a key in at once.
        foreach (ulong key in keys) Assert.That(a.Take(key) && b.Take(key), Is.True);
        await Task.WhenAll(a.SyncAsync(Token), b.SyncAsync(Token));
        var taken = new ConcurrentDictionary<ulong, int>(keys.Select(key => KeyValuePair.Create(key, 2)));
        bool isOver = false;
        Task[] syncs = [.. new[] { a, b }.Select(node => Task.Run(async () =>
        {
            while (!Volatile.Read(ref isOver)) await node.SyncAsync(Token);
        }))];
        await Task.WhenAll(Enumerable.Range(0, 4).Select(thread => Task.Run(() =>
        {
            var random = new Random(thread);
            for (int i = 0; i < 40_000; i++)
            {
                ulong key = keys[random.Next(keys.Length)];
                if ((thread % 2 == 0 ? a : b).Take(key)) taken.AddOrUpdate(key, 1, (_, count) => count + 1);
            }
        })));
        Volatile.Write(ref isOver, true);
        await Task.WhenAll(syncs);
        await Task.WhenAll(a.SyncAsync(Token), b.SyncAsync(Token));
        IDatabase database = await DatabaseAsync();
        foreach (ulong key in keys)
            Assert.That(await OwedAsync(database, key), Is.EqualTo(taken[key]), $"key {key:x}");
        Assert.That(taken.Values, Has.All.LessThanOrEqualTo(200).And.Some.GreaterThanOrEqualTo(100), "at most one burst for each node");
    }

    [Test]
    public async Task AScriptThatRedisForgot_IsBroughtAgain()
    {
        Node a = await ConnectedAsync(), b = await ConnectedAsync();
        a.Take(Key, 10);
        await a.SyncAsync(Token);
        await (await DatabaseAsync()).ExecuteAsync("SCRIPT", "FLUSH", "SYNC");
        a.Take(Key, 10);
        await a.SyncAsync(Token);
        b.Take(Key, 1);
        await b.SyncAsync(Token);
        Assert.That((b.Remaining(Key), a.Limits.IsShared), Is.EqualTo((79L, true)));
    }

    [Test]
    public async Task WhatRedisForgot_IsKnownFromTheNodes()
    {
        Node a = await ConnectedAsync(), b = await ConnectedAsync();
        a.Take(Key, 90);
        await a.SyncAsync(Token);
        await (await DatabaseAsync()).ExecuteAsync("FLUSHALL");
        a.Take(Key, 1);
        await a.SyncAsync(Token);
        b.Take(Key, 1);
        await b.SyncAsync(Token);
        Assert.That(b.Remaining(Key), Is.EqualTo(8));
    }

    [TestCase("nonsense", 99)]
    [TestCase("nan", 99)]
    [TestCase("1e400", 0)] // bounded by the bursts of 64 nodes
    [TestCase("-5", 99)]
    public async Task WhateverStandsInRedis_IsBounded(string stored, int remaining)
    {
        Node a = await ConnectedAsync();
        IDatabase database = await DatabaseAsync();
        await database.StringSetAsync(Name(Key), stored);
        a.Take(Key);
        await a.SyncAsync(Token);
        Assert.That(a.Remaining(Key), Is.EqualTo(remaining));
        Assert.That(a.Bucket.Owed(Key, _time.GetTimestamp()), Is.LessThanOrEqualTo(a.Bucket.OwedMax));
        Assert.That(await OwedAsync(database, Key), Is.LessThanOrEqualTo(64 * Node.Burst));
    }

    [Test]
    public async Task WhatIsKept_EndsWhenTheBucketIsFull()
    {
        Node a = await ConnectedAsync();
        a.Take(Key, 10);
        await a.SyncAsync(Token);
        TimeSpan? left = await (await DatabaseAsync()).KeyTimeToLiveAsync(Name(Key));
        Assert.That(left, Is.GreaterThan(Node.Interval * 9).And.LessThanOrEqualTo(Node.Interval * 10));
    }

    [Test]
    public async Task MoreKeysThanThereIsRoomFor_AreLimitedByTheNodeAlone()
    {
        var node = new Node(Options, _time, keysNoted: 64);
        _ends.Add(node);
        await node.ConnectAsync(Token);
        for (ulong key = 1; key <= 10_000; key++) Assert.That(node.Take(key * 0x9E37_79B9_7F4A_7C15), Is.True);
        Assert.That(node.Taken.OverflowTotal, Is.InRange(10_000 - 64, 10_000));
        await node.SyncAsync(Token);
        IDatabase database = await DatabaseAsync();
        Assert.That((long)await database.ExecuteAsync("DBSIZE"), Is.EqualTo(10_000 - node.Taken.OverflowTotal));
    }

    [Test]
    public async Task AClusterHasTheKeysOfALimitInOnePlace()
    {
        int port = SystemProgram.FreePort();
        string folder = Directory.CreateTempSubdirectory("lb-redis-").FullName;
        await using RunningProgram cluster = await PeerServers.StartRedisAsync(port, Token, ["--dir", folder, "--cluster-enabled", "yes", "--cluster-port", $"{SystemProgram.FreePort()}",
            .. $"--user lb on >correct-horse ~lb:limit:* {OutageTests.Commands} +info +cluster|nodes".Split(' ')]);
        ConnectionMultiplexer connection = await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{port},allowAdmin=true");
        _ends.Add(connection);
        IServer server = connection.GetServers()[0];
        await server.ExecuteAsync("CLUSTER", "ADDSLOTSRANGE", 0, 16383);
        while (!((string)(await server.ExecuteAsync("CLUSTER", "INFO"))!).Contains("cluster_state:ok", StringComparison.Ordinal)) await Task.Delay(5, Token); // as soon as it has seen itself
        RedisOptions options = Options with { Endpoints = [$"127.0.0.1:{port}"], User = "lb", Password = "correct-horse" };
        await using Node a = new(options, _time), b = new(options, _time);
        await a.ConnectAsync(Token);
        await b.ConnectAsync(Token);
        for (ulong key = 1; key <= 500; key++) Assert.That(a.Take(key * 0x9E37_79B9_7F4A_7C15, 10) && b.Take(key * 0x9E37_79B9_7F4A_7C15, 20), Is.True);
        await a.SyncAsync(Token);
        await b.SyncAsync(Token);
        for (ulong key = 1; key <= 500; key++) Assert.That(b.Remaining(key * 0x9E37_79B9_7F4A_7C15), Is.EqualTo(70));
        Directory.Delete(folder, recursive: true);
    }

    [Test]
    public async Task TheMeterTellsWhatWasToldAndWhatWasNot()
    {
        var seen = new ConcurrentDictionary<string, long>();
        using var listener = new MeterListener();
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => seen.AddOrUpdate(instrument.Name + string.Concat(tags.ToArray().Select(tag => $" {tag.Value}")), value, (_, sum) => sum + value));
        listener.SetMeasurementEventCallback<int>((instrument, value, _, _) => seen[instrument.Name] = value);
        listener.SetMeasurementEventCallback<double>((instrument, _, _, _) => seen.AddOrUpdate(instrument.Name, 1, (_, sum) => sum + 1));
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Name.StartsWith("lb.limits.shared", StringComparison.Ordinal)) self.EnableMeasurementEvents(instrument);
        };
        listener.Start();
        var node = new Node(Options, _time, keysNoted: 8);
        _ends.Add(node);
        await node.ConnectAsync(Token);
        for (ulong key = 1; key <= 10; key++) node.Take(key * 8, cost: 3);
        await node.SyncAsync(Token);
        listener.RecordObservableInstruments();
        Assert.That(seen, Is.EquivalentTo(new Dictionary<string, long>
        {
            ["lb.limits.shared.keys"] = 8,
            ["lb.limits.shared.untold overflow"] = 6,
            ["lb.limits.shared.duration"] = 1,
            ["lb.limits.shared.connected"] = 1,
        }));
        await _redis.KillAsync();
        while (node.Limits.IsShared) await node.SyncAsync(Token);
        node.Take(8, cost: 5);
        await node.SyncAsync(Token);
        listener.RecordObservableInstruments();
        Assert.That((seen["lb.limits.shared.untold away"], seen["lb.limits.shared.connected"], seen["lb.limits.shared.keys"]), Is.EqualTo((5L, 0L, 8L)));
    }

    private async Task<Node> ConnectedAsync()
    {
        var node = new Node(Options, _time);
        _ends.Add(node);
        await node.ConnectAsync(Token);
        Assert.That(await node.Log.NextAsync(Token), Is.EqualTo($"limits are shared with other nodes by Redis at 127.0.0.1:{_port}"));
        return node;
    }

    private async Task<IDatabase> DatabaseAsync()
    {
        ConnectionMultiplexer connection = await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{_port},allowAdmin=true");
        _ends.Add(connection);
        return connection.GetDatabase();
    }

    private static string Name(ulong key) => $"lb:limit:{{all}}:{key:x16}";

    // Tokens that all nodes have taken, by what stands in Redis.
    private static async Task<double> OwedAsync(IDatabase database, ulong key)
    {
        long full = (long)await database.StringGetAsync(Name(key));
        double seconds = full / 1e6 - DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 1e3;
        return Math.Round(seconds / Node.Interval.TotalSeconds, 1);
    }
}
