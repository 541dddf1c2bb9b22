using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Protection.Limits;
using LoadBalancer.Limiting.Concurrency;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>Limits of what is under way: for each key, and for a whole cluster.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
[CancelAfter(30_000)]
public sealed class ConcurrencyLimitTests(TransportKind transport) : FleetTests(transport), IDisposable
{
    private readonly SemaphoreSlim _arrived = new(0), _answers = new(0);

    public void Dispose()
    {
        _arrived.Dispose();
        _answers.Dispose();
    }

    // Answers when told to, with what the path says: 200, 101, or the end of the connection.
    private ScriptedOrigin Origin() => new(async (connection, _, token) =>
    {
        while (true)
        {
            string target = (await connection.ReadUntilAsync("\r\n\r\n", token)).Split(' ')[1];
            _arrived.Release();
            await _answers.WaitAsync(token);
            if (target == "/close") return;
            if (target == "/upgrade")
            {
                await connection.SendAsync("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n", token);
                await connection.ReadToEndAsync(token);
                return;
            }
            await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", token);
        }
    });

    private Task<ProxyFixture> StartAsync(ScriptedOrigin origin, LimitConfig limit)
    {
        ProxyConfig config = ProxyFixture.Config(Transport, origin.Address);
        return ProxyFixture.StartAsync(config with
        {
            Limits = new Dictionary<string, LimitConfig> { ["places"] = limit },
            Routes = new Dictionary<string, RouteConfig> { ["all"] = new() { Cluster = "app", Limits = new Dictionary<string, int> { ["places"] = 1 } } },
        }, Time);
    }

    private async Task<RawClient> SendAsync(ProxyFixture proxy, string target = "/", string fields = "")
    {
        RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync($"GET {target} HTTP/1.1\r\nHost: h\r\n{fields}\r\n", Token);
        return client;
    }

    private async Task<RawClient> EnterAsync(ProxyFixture proxy, string target = "/", string fields = "")
    {
        RawClient client = await SendAsync(proxy, target, fields);
        await _arrived.WaitAsync(Token);
        return client;
    }

    private async Task<string> RefusedAsync(ProxyFixture proxy, string target = "/", string fields = "")
    {
        using RawClient client = await SendAsync(proxy, target, fields);
        return await client.ReadResponseAsync(Token);
    }

    [Test]
    public async Task OneTooManyAtATimeIs429ForItsKeyOnly()
    {
        await using ScriptedOrigin origin = Origin();
        await using ProxyFixture proxy = await StartAsync(origin, new() { Concurrency = 2, Key = ["header:X-Key"] });
        using RawClient first = await EnterAsync(proxy, fields: "X-Key: a\r\n"), second = await EnterAsync(proxy, fields: "X-Key: a\r\n"), other = await EnterAsync(proxy, fields: "X-Key: b\r\n");
        string refused = await RefusedAsync(proxy, fields: "X-Key: a\r\n");
        Assert.That(refused, Does.StartWith("HTTP/1.1 429 ").And.Contain("\r\nRetry-After: 1\r\n").And.Not.Contain("RateLimit"));
        Completion completion = await proxy.Completions.NextAsync(Token);
        Assert.That((completion.Reason, completion.RefusedBy), Is.EqualTo((EndReason.ConcurrencyLimited, "places")));
        _answers.Release(3);
        foreach (RawClient client in new[] { first, second, other }) Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 200 "));
    }

    // However a request ends, its place is free when that is told.
    [TestCase("/", EndReason.Completed)]
    [TestCase("/close", EndReason.UpstreamClosed)]
    [TestCase("client", EndReason.ClientAborted)]
    [TestCase("deadline", EndReason.UpstreamHeadTimeout)]
    [TestCase("/upgrade", EndReason.TunnelClosed)]
    public async Task APlaceIsFreeAfterEveryEnd(string how, EndReason reason)
    {
        await using ScriptedOrigin origin = Origin();
        await using ProxyFixture proxy = await StartAsync(origin, new() { Concurrency = 1 });
        using RawClient client = await EnterAsync(proxy, how[0] == '/' ? how : "/", how == "/upgrade" ? "Connection: Upgrade\r\nUpgrade: echo\r\n" : "");
        Assert.That(await RefusedAsync(proxy), Does.StartWith("HTTP/1.1 429 "));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.ConcurrencyLimited));
        switch (how)
        {
            case "client":
                client.Reset();
                break;
            case "deadline":
                Time.Advance(TimeSpan.FromSeconds(31));
                break;
            case "/close":
                // A connection that is closed is tried again: every attempt is to fail.
                _answers.Release(3);
                break;
            case "/upgrade":
                _answers.Release();
                Assert.That(await client.ReadUntilAsync("\r\n\r\n", Token), Does.StartWith("HTTP/1.1 101 "));
                Assert.That(await RefusedAsync(proxy), Does.StartWith("HTTP/1.1 429 "), "a tunnel takes its place as long as it lasts");
                Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.ConcurrencyLimited));
                client.HalfClose();
                break;
            default:
                _answers.Release();
                break;
        }
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(reason));
        Limiter limiter = proxy.Server.Snapshot.Limiters[0];
        while (_arrived.CurrentCount > 0) await _arrived.WaitAsync(Token);
        using RawClient next = await EnterAsync(proxy);
        _answers.Release(3);
        Assert.That(await next.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 200 "));
        Assert.That((limiter.AllowedTotal, limiter.RefusedTotal), Is.EqualTo((2, how == "/upgrade" ? 2 : 1)));
    }

    private Task<ProxyFixture> StartClusterAsync(ScriptedOrigin origin, ConcurrencyConfig concurrency)
    {
        ProxyConfig config = ProxyFixture.Config(Transport, origin.Address);
        return ProxyFixture.StartAsync(config with
        {
            Clusters = new Dictionary<string, ClusterConfig> { ["app"] = config.Clusters["app"] with { Concurrency = concurrency } },
            Routes = new Dictionary<string, RouteConfig>
            {
                ["normal"] = new() { Cluster = "app" },
                ["low"] = new() { Path = "/low", Cluster = "app", Priority = LoadPriority.Low },
                ["high"] = new() { Path = "/high", Cluster = "app", Priority = LoadPriority.High },
            },
        }, Time);
    }

    [Test]
    public async Task TheLowestPriorityIsTurnedAwayFirst()
    {
        await using ScriptedOrigin origin = Origin();
        await using ProxyFixture proxy = await StartClusterAsync(origin, new() { Min = 10, Max = 10 });
        var inside = new List<RawClient>();
        for (int i = 0; i < 7; i++) inside.Add(await EnterAsync(proxy, "/low"));
        string shed = await RefusedAsync(proxy, "/low");
        Assert.That(shed, Does.StartWith("HTTP/1.1 503 ").And.Contain("\r\nRetry-After: 1\r\n"));
        Completion completion = await proxy.Completions.NextAsync(Token);
        Assert.That((completion.Reason, completion.RefusedBy, completion.Route), Is.EqualTo((EndReason.LoadShed, "app", "low")));
        for (int i = 0; i < 2; i++) inside.Add(await EnterAsync(proxy, "/"));
        Assert.That(await RefusedAsync(proxy, "/"), Does.StartWith("HTTP/1.1 503 "));
        inside.Add(await EnterAsync(proxy, "/high"));
        Assert.That(await RefusedAsync(proxy, "/high"), Does.StartWith("HTTP/1.1 503 "));
        LoadShedding shedding = proxy.Server.Snapshot.Clusters[0].Shedding!;
        Assert.That((shedding.Limit.Outstanding, shedding.AllowedTotal, shedding.RefusedTotal), Is.EqualTo((10, 10, 3)));
        _answers.Release(10);
        foreach (RawClient client in inside)
        {
            Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 200 "));
            client.Dispose();
        }
        for (int i = 0; i < 12; i++) await proxy.Completions.NextAsync(Token);
        Assert.That(shedding.Limit.Outstanding, Is.Zero);
    }

    [Test]
    public async Task LatencyThatRisesLowersTheLimit()
    {
        await using ScriptedOrigin origin = Origin();
        await using ProxyFixture proxy = await StartClusterAsync(origin, new() { Min = 10, Max = 200, Window = TimeSpan.FromMilliseconds(100) });
        LoadShedding shedding = proxy.Server.Snapshot.Clusters[0].Shedding!;
        using RawClient client = await proxy.ConnectAsync(Token);
        async Task AskAsync(int requests, double milliseconds)
        {
            for (int i = 0; i < requests; i++)
            {
                await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
                await _arrived.WaitAsync(Token);
                Time.Advance(TimeSpan.FromMilliseconds(milliseconds));
                _answers.Release();
                await client.ReadResponseAsync(Token);
                await proxy.Completions.NextAsync(Token);
            }
        }
        await AskAsync(200, 10);
        int before = shedding.Limit.Limit;
        await AskAsync(200, 60);
        Assert.That(shedding.Limit.Limit, Is.LessThan(before / 2));
    }

    [Test]
    public async Task ADryRunTurnsNobodyAway()
    {
        await using ScriptedOrigin origin = Origin();
        await using ProxyFixture proxy = await StartClusterAsync(origin, new() { Min = 1, Max = 1, DryRun = true });
        using RawClient first = await EnterAsync(proxy), second = await EnterAsync(proxy);
        _answers.Release(2);
        Assert.That(await second.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 200 "));
        Assert.That(await first.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 200 "));
        Completion[] both = [await proxy.Completions.NextAsync(Token), await proxy.Completions.NextAsync(Token)];
        Assert.That(both.Select(c => (c.DryRunReason, c.DryRunPolicy)), Is.EquivalentTo(new[] { (EndReason.None, (string?)null), (EndReason.LoadShed, "app") }));
        Assert.That(proxy.Server.Snapshot.Clusters[0].Shedding!.Limit.Outstanding, Is.Zero);
    }

    // A tunnel may last for days: what it costs the destinations is not what this is for.
    [Test]
    public async Task ATunnelGivesTheClustersPlaceBack()
    {
        await using ScriptedOrigin origin = Origin();
        await using ProxyFixture proxy = await StartClusterAsync(origin, new() { Min = 1, Max = 1 });
        using RawClient tunnel = await EnterAsync(proxy, "/upgrade", "Connection: Upgrade\r\nUpgrade: echo\r\n");
        Assert.That(await RefusedAsync(proxy), Does.StartWith("HTTP/1.1 503 "));
        _answers.Release();
        await tunnel.ReadUntilAsync("\r\n\r\n", Token);
        using RawClient next = await EnterAsync(proxy);
        _answers.Release();
        Assert.That(await next.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 200 "));
    }
}
