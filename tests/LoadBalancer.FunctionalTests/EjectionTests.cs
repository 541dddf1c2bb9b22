using LoadBalancer.Balancing;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>Outlier ejection at work. When and for how long is tested with the scheduler; here, that requests feed it.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(30_000)]
public sealed class EjectionTests(TransportKind transport) : FleetTests(transport)
{
    private const string Failure = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n";

    [Test]
    public async Task ABlackHoleIsEjectedAndComesBackAfterItsTime()
    {
        await using FleetOrigin good = new(), hole = new() { Answer = Failure };
        await using ProxyFixture proxy = await StartAsync(new ClusterConfig(), good, hole);
        Assert.That(await SharesAsync(proxy, 40, good, hole), Is.EqualTo([35, 5]));
        Assert.That(await proxy.Log.NextAsync(Token), Does.Contain("destination d1 is ejected"));

        hole.Answer = FleetOrigin.Good;
        Time.Advance(TimeSpan.FromSeconds(29));
        Assert.That(await SharesAsync(proxy, 10, good, hole), Is.EqualTo([10, 0]));
        Time.Advance(TimeSpan.FromSeconds(2));
        Assert.That(await SharesAsync(proxy, 10, good, hole), Is.EqualTo([5, 5]));
        Assert.That(await proxy.Log.NextAsync(Token), Does.Contain("the ejection of destination d1 has ended"));
    }

    [Test]
    public async Task ADestinationThatRefusesConnectionsIsEjectedAndTheClientsSeeNothing()
    {
        await using FleetOrigin good = new();
        var gone = new FleetOrigin();
        await using ProxyFixture proxy = await StartAsync(new ClusterConfig(), good, gone);
        await gone.DisposeAsync();
        Assert.That(await AskAsync(proxy, 40), Is.All.EqualTo("200"));
        Assert.That(StatusOf(proxy, 1), Is.EqualTo(DestinationStatus.Ejected));
    }

    // As when it restarts: what was sent on them is repeated, and says nothing against it.
    [Test]
    public async Task ADestinationThatClosesItsKeptConnectionsAtOnceIsNotEjected()
    {
        const int Kept = 8;
        TaskCompletionSource allOpen = new(TaskCreationOptions.RunContinuationsAsynchronously), allAsked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        int open = 0, asked = 0;
        await using var restarts = new ScriptedOrigin(async (c, number, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            if (number <= Kept)
            {
                if (Interlocked.Increment(ref open) == Kept) allOpen.SetResult();
                await allOpen.Task.WaitAsync(t);
                await c.SendAsync(FleetOrigin.Good, t);
                await c.ReadUntilAsync("\r\n\r\n", t);
                if (Interlocked.Increment(ref asked) == Kept) allAsked.SetResult();
                await allAsked.Task.WaitAsync(t);
                return;
            }
            await c.SendAsync(FleetOrigin.Good, t);
            await c.ReadToEndAsync(t);
        });
        await using FleetOrigin good = new();
        ProxyConfig config = ProxyFixture.Config(Transport, good.Address, restarts.Address);
        var cluster = new ClusterConfig { Balance = "round-robin", Destinations = config.Clusters["app"].Destinations };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config with { Clusters = new Dictionary<string, ClusterConfig> { ["app"] = cluster } }, Time);
        RawClient[] clients = await Task.WhenAll(Enumerable.Range(0, 2 * Kept).Select(_ => proxy.ConnectAsync(Token)));
        for (int round = 0; round < 2; round++)
        {
            foreach (RawClient client in clients) await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
            foreach (RawClient client in clients) Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 200 "));
        }
        Assert.That(asked, Is.EqualTo(Kept));
        Assert.That(StatusOf(proxy, 1), Is.EqualTo(DestinationStatus.Eligible));
        foreach (RawClient client in clients) client.Dispose();
    }

    [Test]
    public async Task WhenAllFailHalfOfThemAreLeft()
    {
        FleetOrigin[] origins = [.. Enumerable.Range(0, 5).Select(_ => new FleetOrigin { Answer = Failure })];
        await using (ProxyFixture proxy = await StartAsync(new ClusterConfig(), origins))
        {
            Assert.That(await AskAsync(proxy, 100), Is.All.EqualTo("500"));
            Assert.That(Enumerable.Range(0, 5).Count(i => StatusOf(proxy, i) == DestinationStatus.Ejected), Is.EqualTo(2));
        }
        foreach (FleetOrigin origin in origins) await origin.DisposeAsync();
    }

    [Test]
    public async Task ItCanBeTurnedOff()
    {
        await using FleetOrigin good = new(), hole = new() { Answer = Failure };
        await using ProxyFixture proxy = await StartAsync(new ClusterConfig { Ejection = new() { Enabled = false } }, good, hole);
        Assert.That(await SharesAsync(proxy, 40, good, hole), Is.EqualTo([20, 20]));
    }

    // The kept connections break, which is repeated on fresh ones; those are refused, which ejects.
    [Test]
    public async Task KillingADestinationUnderLoadLosesNoSafeRequest()
    {
        await using var stays = new EchoOrigin();
        var dies = new EchoOrigin();
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(Transport, stays.Address, dies.Address));
        const int Workers = 16, Requests = 300;
        int done = 0;
        var half = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task[] workers = [.. Enumerable.Range(0, Workers).Select(_ => Task.Run(async () =>
        {
            using RawClient client = await proxy.ConnectAsync(Token);
            for (int i = 0; i < Requests; i++)
            {
                await client.SendAsync("GET /bytes/10 HTTP/1.1\r\nHost: h\r\n\r\n", Token);
                Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 200 "));
                if (Interlocked.Increment(ref done) == Workers * Requests / 2) half.SetResult();
            }
        }))];
        await half.Task.WaitAsync(Token);
        await dies.DisposeAsync();
        await Task.WhenAll(workers);
        Assert.That(StatusOf(proxy, 1), Is.EqualTo(DestinationStatus.Ejected));
    }
}
