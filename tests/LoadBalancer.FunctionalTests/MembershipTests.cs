using LoadBalancer.Balancing;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>Destinations come and go while requests run.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(30_000)]
public sealed class MembershipTests(TransportKind transport)
{
    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SkipWhereUnsupported() => Transports.Require(transport);

    [Test]
    public async Task ANewDestinationIsUsedAndOneThatLeftIsNot()
    {
        await using ScriptedOrigin one = Named("one"), two = Named("two");
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, one.Address));
        using RawClient client = await proxy.ConnectAsync(Token);
        Assert.That(await AskAsync(client), Does.EndWith("one"));
        proxy.Server.UpdateDestinations("app", Only("two", two));
        for (int i = 0; i < 10; i++) Assert.That(await AskAsync(client), Does.EndWith("two"));
        proxy.Server.UpdateDestinations("app", new Dictionary<string, DestinationConfig>());
        Assert.That(await AskAsync(client), Does.StartWith("HTTP/1.1 503 "));
        proxy.Server.UpdateDestinations("app", Only("one", one));
        Assert.That(await AskAsync(client), Does.EndWith("one"));
    }

    [Test]
    public async Task ADestinationThatLeavesFinishesWhatItHasAndThenLosesItsConnection()
    {
        var asked = new TaskCompletionSource();
        var answer = new TaskCompletionSource();
        var ended = new TaskCompletionSource<StreamEnd>();
        await using var leaving = new ScriptedOrigin(async (connection, _, token) =>
        {
            await connection.ReadUntilAsync("\r\n\r\n", token);
            asked.SetResult();
            await answer.Task;
            await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlast", token);
            await connection.ReadToEndAsync(token);
            ended.SetResult(connection.End);
        });
        await using ScriptedOrigin other = Named("other");
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, leaving.Address));
        using RawClient client = await proxy.ConnectAsync(Token);
        Task<string> first = AskAsync(client);
        await asked.Task.WaitAsync(Token);
        proxy.Server.UpdateDestinations("app", Only("other", other));
        using RawClient second = await proxy.ConnectAsync(Token);
        Assert.That(await AskAsync(second), Does.EndWith("other"));
        answer.SetResult();
        Assert.That(await first, Does.EndWith("last"));
        Assert.That(await ended.Task.WaitAsync(Token), Is.EqualTo(StreamEnd.Fin));
    }

    [Test]
    public async Task ADestinationThatStaysKeepsItsConnections()
    {
        await using ScriptedOrigin stays = Named("stays"), comes = Named("comes");
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, stays.Address));
        using RawClient client = await proxy.ConnectAsync(Token);
        await AskAsync(client);
        for (int change = 0; change < 5; change++)
        {
            proxy.Server.UpdateDestinations("app", new Dictionary<string, DestinationConfig> { ["d0"] = new() { Address = stays.Address }, [$"c{change}"] = new() { Address = comes.Address } });
            proxy.Server.UpdateDestinations("app", Only("d0", stays));
            Assert.That(await AskAsync(client), Does.EndWith("stays"));
        }
        Assert.That(stays.Connections, Is.EqualTo(1));
    }

    [Test]
    public async Task ChangesUnderLoadLoseNoRequest()
    {
        await using ScriptedOrigin one = Named("one"), two = Named("two"), three = Named("three");
        ScriptedOrigin[] all = [one, two, three];
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, one.Address));
        bool done = false;
        Task changes = Task.Run(() =>
        {
            for (int change = 0; !Volatile.Read(ref done); change++)
            {
                int present = change % 7 + 1; // every set of the three but the empty one
                proxy.Server.UpdateDestinations("app", Enumerable.Range(0, 3).Where(i => (present & 1 << i) != 0)
                    .ToDictionary(i => $"d{i}", i => new DestinationConfig { Address = all[i].Address }));
            }
        });
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            using RawClient client = await proxy.ConnectAsync(Token);
            for (int i = 0; i < 250; i++) Assert.That(await AskAsync(client), Does.StartWith("HTTP/1.1 200 "));
        }));
        Volatile.Write(ref done, true);
        await changes;
    }

    [Test]
    public async Task ANewcomerIsProbedBeforeItIsUsedWhereTheClusterWantsThat()
    {
        var probed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        int served = 0;
        await using var sick = new ScriptedOrigin(async (connection, _, token) =>
        {
            string head = await connection.ReadUntilAsync("\r\n\r\n", token);
            if (head.StartsWith("GET /health ", StringComparison.Ordinal)) probed.TrySetResult();
            else Interlocked.Increment(ref served);
            await connection.SendAsync("HTTP/1.1 500 Sick\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", token);
        });
        await using ScriptedOrigin well = Named("well");
        ProxyConfig config = ProxyFixture.Config(transport, well.Address);
        ClusterConfig cluster = config.Clusters["app"] with { HealthCheck = new() { Path = "/health", WaitForFirstProbe = true }, PanicThresholdPercent = 0 };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config with { Clusters = new Dictionary<string, ClusterConfig> { ["app"] = cluster } });
        using RawClient client = await proxy.ConnectAsync(Token);
        // Until its own first probe: before that it is used all the same, as there is no other.
        while (proxy.Server.DescribeDestinations("app")[0].Status != DestinationStatus.Eligible) await AskAsync(client);
        proxy.Server.UpdateDestinations("app", new Dictionary<string, DestinationConfig> { ["d0"] = new() { Address = well.Address }, ["new"] = new() { Address = sick.Address } });
        for (int i = 0; i < 20; i++) Assert.That(await AskAsync(client), Does.EndWith("well"));
        await probed.Task.WaitAsync(Token);
        for (int i = 0; i < 20; i++) Assert.That(await AskAsync(client), Does.EndWith("well"));
        Assert.That(served, Is.Zero);
        proxy.Server.UpdateDestinations("app", Only("d0", well)); // whose probes end with it, which the fixture sees
        Assert.That(await AskAsync(client), Does.EndWith("well"));
    }

    [Test]
    public async Task EachSourceChangesItsOwnDestinationsOnly()
    {
        await using ScriptedOrigin one = Named("one"), two = Named("two"), three = Named("three");
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(InTurn(one));
        using RawClient client = await proxy.ConnectAsync(Token);
        proxy.Server.UpdateDestinations("app", "dns", Only("two", two));
        Assert.That(await AnswersAsync(client), Is.EquivalentTo(new[] { "one", "two" }));
        proxy.Server.UpdateDestinations("app", "registered", Only("two", three)); // the name is taken
        Assert.That(await AnswersAsync(client), Is.EquivalentTo(new[] { "one", "two" }));
        proxy.Server.UpdateDestinations("app", new Dictionary<string, DestinationConfig>());
        Assert.That(await AnswersAsync(client), Is.EquivalentTo(new[] { "two" }));
        proxy.Server.UpdateDestinations("app", "dns", new Dictionary<string, DestinationConfig>());
        Assert.That(await AnswersAsync(client), Is.EquivalentTo(new[] { "three" }));
    }

    [Test]
    public async Task ADestinationThatDrainsGetsNothingNewUntilItIsUsedAgain()
    {
        await using ScriptedOrigin one = Named("one"), two = Named("two");
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, one.Address, two.Address));
        using RawClient client = await proxy.ConnectAsync(Token);
        Assert.That(proxy.Server.SetDraining("app", "d0", true), Is.True);
        Assert.That(await AnswersAsync(client), Is.EquivalentTo(new[] { "two" }));
        Assert.That(proxy.Server.SetDraining("app", "d1", true), Is.True);
        Assert.That(await AskAsync(client), Does.StartWith("HTTP/1.1 503 "));
        Assert.That(proxy.Server.SetDraining("app", "d0", false), Is.True);
        Assert.That(await AnswersAsync(client), Is.EquivalentTo(new[] { "one" }));
        Assert.That(proxy.Server.SetDraining("app", "d9", true), Is.False);
        Assert.Throws<ArgumentException>(() => proxy.Server.SetDraining("nope", "d0", true));
    }

    [Test]
    public async Task ABadListChangesNothingAndSaysWhy()
    {
        await using ScriptedOrigin one = Named("one");
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, one.Address));
        ConfigException e = Assert.Throws<ConfigException>(() => proxy.Server.UpdateDestinations("app",
            new Dictionary<string, DestinationConfig> { ["x"] = new() { Address = "nowhere" }, ["y"] = new() { Address = "h:1", Weight = 0 } }))!;
        Assert.That(e.Problems.Select(p => p.Path), Is.EqualTo(new[] { "clusters.app.destinations.x.address", "clusters.app.destinations.y.weight" }));
        Assert.Throws<ArgumentException>(() => proxy.Server.UpdateDestinations("nope", Only("a", one)));
        using RawClient client = await proxy.ConnectAsync(Token);
        Assert.That(await AskAsync(client), Does.EndWith("one"));
    }

    private ProxyConfig InTurn(ScriptedOrigin origin)
    {
        ProxyConfig config = ProxyFixture.Config(transport, origin.Address);
        return config with { Clusters = new Dictionary<string, ClusterConfig> { ["app"] = config.Clusters["app"] with { Balance = "round-robin", SlowStart = TimeSpan.Zero } } };
    }

    private static Dictionary<string, DestinationConfig> Only(string name, ScriptedOrigin origin) => new() { [name] = new() { Address = origin.Address } };

    private static ScriptedOrigin Named(string name) => ScriptedOrigin.Answering($"HTTP/1.1 200 OK\r\nContent-Length: {name.Length}\r\n\r\n{name}");

    // Who answers, over enough requests that each who may be picked is.
    private static async Task<IEnumerable<string>> AnswersAsync(RawClient client)
    {
        var seen = new HashSet<string>();
        for (int i = 0; i < 60; i++) seen.Add((await AskAsync(client)).Split("\r\n\r\n")[1]);
        return seen;
    }

    private static async Task<string> AskAsync(RawClient client)
    {
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        return await client.ReadResponseAsync(Token);
    }
}
