using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
using StackExchange.Redis;

namespace LoadBalancer.Redis.Tests;

/// <summary>Redis goes, comes back, stands still, and says no: nodes go on alone, say so once, and share again.</summary>
[TestFixture, FixtureLifeCycle(LifeCycle.InstancePerTestCase), CancelAfter(120_000)]
public sealed class OutageTests : IAsyncDisposable
{
    private const ulong Key = 0xABCD_EF01_2345_6789;

    private readonly int _port = SystemProgram.FreePort();
    private readonly List<IAsyncDisposable> _ends = [];

    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    private RedisOptions Options => new() { Endpoints = [$"127.0.0.1:{_port}"], Secret = "0123456789abcdef", Timeout = TimeSpan.FromSeconds(5) };

    private string Shared => $"limits are shared with other nodes by Redis at 127.0.0.1:{_port}";

    public async ValueTask DisposeAsync()
    {
        foreach (IAsyncDisposable end in Enumerable.Reverse(_ends)) await end.DisposeAsync();
    }

    [Test]
    public async Task NodesBeginAlone_AndShareWhenRedisComes()
    {
        Node node = Running(Options);
        Assert.That(await node.Log.NextAsync(Token), Is.EqualTo(Alone("no connection (UnableToConnect)")));
        Assert.That(node.Take(Key), Is.True);
        await StartRedisAsync();
        Assert.That(await node.Log.NextAsync(Token), Is.EqualTo(Shared));
    }

    [Test]
    public async Task UnderLoad_RedisIsKilledAndComesBackEmpty()
    {
        RunningProgram redis = await StartRedisAsync();
        Node a = Running(Options), b = Running(Options);
        foreach (Node node in new[] { a, b })
        {
            Assert.That(node.Take(Key), Is.True);
            Assert.That(await node.Log.NextAsync(Token), Is.EqualTo(Shared));
        }
        bool isOver = false;
        int taken = 2;
        Task[] load = [.. new[] { a, b }.Select(node => Task.Run(() =>
        {
            var random = new Random(1);
            while (!Volatile.Read(ref isOver))
            {
                if (node.Take(Key)) Interlocked.Increment(ref taken);
                node.Take((ulong)random.NextInt64(1, 5000));
            }
        }))];
        await redis.KillAsync();
        foreach (Node node in new[] { a, b })
        {
            Assert.That(await node.Log.NextAsync(Token), Does.StartWith($"limits are not shared: Redis at 127.0.0.1:{_port}: "));
            Assert.That(node.Limits.IsShared, Is.False);
        }
        await StartRedisAsync();
        foreach (Node node in new[] { a, b }) Assert.That(await node.Log.NextAsync(Token), Is.EqualTo(Shared), "after one word of the outage");
        Volatile.Write(ref isOver, true);
        await Task.WhenAll(load);
        Assert.That(taken, Is.InRange(Node.Burst, 2 * Node.Burst), "never more than a burst for each node; a limit never stops limiting");
        Assert.That((a.Take(Key), b.Take(Key)), Is.EqualTo((false, false)));
    }

    [Test]
    public async Task WhatIsTakenWhileRedisIsAway_IsNotChargedLater()
    {
        RunningProgram redis = await StartRedisAsync();
        Node a = Stepped(Options), b = Stepped(Options);
        await a.ConnectAsync(Token);
        await b.ConnectAsync(Token);
        await redis.KillAsync();
        while (a.Limits.IsShared)
        {
            a.Take(Key, 1);
            await a.SyncAsync(Token);
        }
        a.Take(Key, 40);
        await a.SyncAsync(Token);
        await StartRedisAsync();
        await a.ConnectAsync(Token);
        await b.ConnectAsync(Token);
        b.Take(Key);
        await b.SyncAsync(Token);
        Assert.That(b.Remaining(Key), Is.EqualTo(99));
    }

    [Test]
    public async Task ARedisThatStandsStill_HasOneAnswerToGiveWhenItGoesOn()
    {
        RunningProgram redis = await StartRedisAsync();
        // Its time stands still as well: patience ends when the test says so.
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var node = new Node(Options, time);
        _ends.Add(node);
        await node.ConnectAsync(Token);
        node.Take(Key);
        await node.SyncAsync(Token);
        await redis.SignalAsync("STOP", Token);
        node.Take(Key);
        Task sync = node.SyncAsync(Token);
        time.Advance(Options.Timeout);
        await sync;
        Assert.That(await node.Log.NextAsync(Token), Is.EqualTo(Shared));
        Assert.That(await node.Log.NextAsync(Token), Is.EqualTo(Alone("no answer in time")));
        for (int i = 0; i < 20; i++)
        {
            node.Take(Key);
            await node.SyncAsync(Token); // returns at once
        }
        await redis.SignalAsync("CONT", Token);
        await node.ConnectAsync(Token);
        ConnectionMultiplexer connection = await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{_port},allowAdmin=true");
        _ends.Add(connection);
        string statistics = (await connection.GetServers()[0].InfoRawAsync("commandstats"))!;
        Assert.That(statistics, Does.Contain("cmdstat_time:calls=2,"), "what was told before, and what was under way");
    }

    [Test]
    public async Task ARedisThatRefuses_IsNamedOnce()
    {
        await StartRedisAsync();
        Node node = Stepped(Options);
        await node.ConnectAsync(Token);
        ConnectionMultiplexer connection = await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{_port}");
        _ends.Add(connection);
        await connection.GetDatabase().ListLeftPushAsync($"lb:limit:{{all}}:{Key:x16}", "no bucket");
        for (int i = 0; i < 3; i++)
        {
            node.Take(Key);
            await node.SyncAsync(Token);
        }
        Assert.That(await node.Log.NextAsync(Token), Is.EqualTo(Shared));
        Assert.That(await node.Log.NextAsync(Token), Does.StartWith(Alone("WRONGTYPE")[..^AloneEnd.Length]).And.EndsWith(AloneEnd));
        Assert.That((node.Limits.IsShared, node.Remaining(Key)), Is.EqualTo((false, 97L)), "it is limited by the node");
        await connection.GetDatabase().KeyDeleteAsync($"lb:limit:{{all}}:{Key:x16}");
        node.Take(Key);
        await node.SyncAsync(Token);
        Assert.That(await node.Log.NextAsync(Token), Is.EqualTo(Shared));
    }

    [Test]
    public async Task APasswordOverTls()
    {
        using var authority = new TestAuthority();
        string certificate = authority.IssueFile(["redis.test"]);
        int plain = SystemProgram.FreePort();
        string more = $"--tls-port {_port} --tls-cert-file {certificate} --tls-key-file {certificate} --tls-auth-clients no --user default off --user lb on >correct-horse ~lb:limit:* {Commands}";
        await using RunningProgram redis = await PeerServers.StartRedisAsync(plain, Token, more.Split(' '));
        RedisOptions options = Options with { Tls = true, TlsName = "redis.test", TlsAuthority = authority.Root, User = "lb", Password = "correct-horse" };
        await using (Node node = new(options, TimeProvider.System))
        {
            await node.ConnectAsync(Token);
            node.Take(Key);
            await node.SyncAsync(Token);
            Assert.That((node.Limits.IsShared, await node.Log.NextAsync(Token)), Is.EqualTo((true, Shared)));
        }

        Node wrong = Running(options with { Password = "wrong-horse" });
        string said = await wrong.Log.NextAsync(Token);
        Assert.That(said, Is.EqualTo(Alone("the user or password is wrong, or needed")));
        Node unknown = Running(options with { TlsAuthority = null });
        Assert.That(await unknown.Log.NextAsync(Token), Does.StartWith("limits are not shared"), "an authority that nobody has named");
        Node other = Running(options with { TlsName = "other.test" });
        Assert.That(await other.Log.NextAsync(Token), Does.StartWith("limits are not shared"));
    }

    [Test]
    public void WhatIsSecret_IsNotPrinted()
    {
        RedisOptions options = Options with { User = "lb", Password = "correct-horse" };
        Assert.That($"{options}", Is.EqualTo($"RedisOptions {{ Endpoints = 127.0.0.1:{_port}, Database = 0, Tls = False }}"));
    }

    // As docs/shared-limits.md has them.
    internal const string Commands = "+ping +echo +eval +evalsha +script|load +time +get +set";

    private const string AloneEnd = "; this node limits by what it knows itself";

    private string Alone(string problem) => $"limits are not shared: Redis at 127.0.0.1:{_port}: {problem}{AloneEnd}";

    private async Task<RunningProgram> StartRedisAsync()
    {
        RunningProgram redis = await PeerServers.StartRedisAsync(_port, Token);
        _ends.Add(redis);
        return redis;
    }

    // It goes on by itself, in real time.
    private Node Running(RedisOptions options)
    {
        Node node = Stepped(options);
        node.Limits.Start();
        return node;
    }

    private Node Stepped(RedisOptions options)
    {
        var node = new Node(options, TimeProvider.System);
        _ends.Add(node);
        return node;
    }
}
