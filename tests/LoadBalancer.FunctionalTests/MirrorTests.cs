using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Forwarding;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>
/// Copies of requests to a shadow cluster. Whatever becomes of them, the client's answers stay the same bytes; the fixture asserts at its end that no pick,
/// connection or buffer was left behind, of the shadow's either.
/// </summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
[CancelAfter(30_000)]
public sealed class MirrorTests(TransportKind transport) : IAsyncDisposable
{
    private const string Answer = "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 2\r\n\r\nok";
    private const string Get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n", Post = "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody";

    private readonly FakeTimeProvider _time = new();
    private readonly ScriptedOrigin _app = ScriptedOrigin.Answering(Answer);

    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SkipWhereUnsupported() => Transports.Require(transport);

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private Task<ProxyFixture> StartAsync(string shadow, MirrorConfig? mirror = null, Func<ClusterConfig, ClusterConfig>? change = null, RouteConfig? route = null, string? other = null,
        ListenerConfig? listener = null)
    {
        ProxyConfig config = ProxyFixture.Config(transport, _app.Address);
        ClusterConfig another = ProxyFixture.Config(transport, other ?? _app.Address).Clusters["app"];
        var cluster = new ClusterConfig
        {
            Destinations = new Dictionary<string, DestinationConfig> { ["s"] = new() { Address = shadow } },
            Ejection = new() { Enabled = false },
        };
        return ProxyFixture.StartAsync(config with
        {
            Listeners = listener is null ? config.Listeners : new Dictionary<string, ListenerConfig> { ["main"] = config.Listeners["main"], ["second"] = listener },
            Clusters = new Dictionary<string, ClusterConfig> { ["app"] = config.Clusters["app"], ["other"] = another, ["shadow"] = change is null ? cluster : change(cluster) },
            Routes = new Dictionary<string, RouteConfig>
            {
                ["all"] = (route ?? new() { Cluster = "app" }) with { Mirror = (mirror ?? new() { Cluster = "" }) with { Cluster = "shadow" } },
            },
        }, _time);
    }

    private static RouteMirror MirrorOf(ProxyFixture proxy) => proxy.Server.Snapshot.Routes[0].Mirror!;

    private static (long Sent, long Dropped, long Skipped) CountsOf(ProxyFixture proxy) =>
        (MirrorOf(proxy).SentCount, MirrorOf(proxy).DroppedCount, MirrorOf(proxy).SkippedCount);

    // Passes when every copy under way has ended, looking once in each turn of the loop.
    private static async Task QuietAsync(ProxyFixture proxy)
    {
        while (MirrorOf(proxy).Cluster.Scheduler.Destinations.Any(d => d.Outstanding > 0)) await proxy.TurnAsync(Token);
        await proxy.TurnAsync(Token);
    }

    private static async Task<string> AskAsync(RawClient client, string request)
    {
        await client.SendAsync(request, Token);
        return await client.ReadResponseAsync(Token);
    }

    [Test]
    public async Task ACopyIsWhatTheDestinationGetsAndAMark()
    {
        var original = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var copy = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        ScriptedOrigin Noting(TaskCompletionSource<string> seen) => new(async (c, _, t) =>
        {
            seen.TrySetResult(await c.ReadUntilAsync("\r\n\r\n", t) + await c.ReadAsync(4, t));
            await c.SendAsync(Answer, t);
            await c.ReadToEndAsync(t);
        });
        await using ScriptedOrigin app = Noting(original), shadow = Noting(copy);
        await using ProxyFixture proxy = await StartAsync(shadow.Address, route: new() { Cluster = "other" }, other: app.Address);
        using RawClient client = await proxy.ConnectAsync(Token);
        await AskAsync(client, "POST /a/../b?q HTTP/1.1\r\nHost: example.com\r\nX-Forwarded-For: 1.2.3.4\r\nConnection: X-Hop\r\nX-Hop: 1\r\nContent-Length: 4\r\n\r\nbody");
        string sent = await original.Task.WaitAsync(Token), mirrored = await copy.Task.WaitAsync(Token);
        Assert.That(sent, Does.StartWith("POST /b?q HTTP/1.1\r\n").And.Contain("\r\nX-Forwarded-For: 127.0.0.1\r\n").And.Not.Contain("X-Mirrored").And.EndsWith("\r\n\r\nbody"));
        Assert.That(mirrored, Is.EqualTo(sent.Replace("\r\n\r\nbody", "\r\nX-Mirrored: 1\r\n\r\nbody", StringComparison.Ordinal)));
        await QuietAsync(proxy);
    }

    [Test]
    public async Task TheShadowsHostIsItsClusters()
    {
        await using var shadow = new HeldOrigin();
        await using ProxyFixture proxy = await StartAsync(shadow.Address, change: c => c with { Host = "shadow.example" });
        using RawClient client = await proxy.ConnectAsync(Token);
        Assert.That(await AskAsync(client, Get), Does.EndWith("ok"));
        Assert.That(await shadow.ArrivedAsync(Token), Does.Contain("\r\nHost: shadow.example\r\n"));
    }

    [Test]
    public async Task AShadowThatHoldsItsAnswersDelaysNobody()
    {
        await using var shadow = new HeldOrigin();
        await using ProxyFixture proxy = await StartAsync(shadow.Address);
        using RawClient client = await proxy.ConnectAsync(Token);
        string expected = await AskAsync(client, Get);
        for (int i = 0; i < 20; i++) Assert.That(await AskAsync(client, i % 2 == 0 ? Get : Post), Is.EqualTo(expected));
        for (int i = 0; i < 21; i++)
        {
            await shadow.ArrivedAsync(Token);
            shadow.Answer("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n");
        }
        await QuietAsync(proxy);
        Assert.That(CountsOf(proxy), Is.EqualTo((21, 0, 0)));
        for (int i = 0; i < 21; i++) Assert.That((await proxy.Completions.NextAsync(Token)).Destination, Is.EqualTo("d0"));
        Assert.That(proxy.Completions.IsEmpty, "a copy is no request of a client");
    }

    private static readonly string[] Answers =
    [
        "nonsense\r\n\r\n",
        "HTTP/1.1 2",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nnoHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\n\r\nuntil the end",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" + new string('x', 3_000_000),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2dc6c0\r\n" + new string('x', 3_000_000) + "\r\n0\r\n\r\n",
    ];

    [Test]
    public async Task WhateverTheShadowSaysTheClientsAnswersStayTheSame([Range(0, 8)] int index, [Values] bool closes)
    {
        await using var shadow = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            await c.SendAsync(Answers[index], t);
            if (!closes) await c.ReadToEndAsync(t);
        });
        await AssertSameAnswersAsync(shadow.Address);
    }

    private async Task AssertSameAnswersAsync(string shadow)
    {
        await using ProxyFixture proxy = await StartAsync(shadow, change: c => c with { IdleTimeout = TimeSpan.FromSeconds(1), ResponseHeadTimeout = TimeSpan.FromSeconds(1), ConnectTimeout = TimeSpan.FromSeconds(1) });
        using RawClient client = await proxy.ConnectAsync(Token);
        string expected = await AskAsync(client, Get);
        Assert.That(expected, Does.StartWith("HTTP/1.1 200 OK\r\n").And.EndsWith("\r\n\r\nok"));
        for (int i = 0; i < 10; i++) Assert.That(await AskAsync(client, i % 2 == 0 ? Get : Post), Is.EqualTo(expected));
        Assert.That(MirrorOf(proxy).SentCount, Is.EqualTo(11));
        // The shadow's own time-outs end what does not end by itself.
        while (MirrorOf(proxy).Cluster.Scheduler.Destinations.Any(d => d.Outstanding > 0))
        {
            _time.Advance(TimeSpan.FromMilliseconds(500));
            await proxy.TurnAsync(Token);
        }
        Assert.That(await AskAsync(client, Get), Is.EqualTo(expected));
    }

    [Test]
    public async Task AShadowThatRefusesConnectionsIsNoMatter() => await AssertSameAnswersAsync(Origins.ClosedAddress());

    [Test]
    public async Task AShadowThatAcceptsNobodyIsNoMatter()
    {
        using var hole = new BlackHole();
        await hole.FillAsync(Token);
        await AssertSameAnswersAsync(hole.Address);
    }

    [Test]
    public async Task AShadowThatNeverReadsIsNoMatter()
    {
        await using var shadow = new ScriptedOrigin((_, _, t) => Task.Delay(Timeout.Infinite, t));
        await AssertSameAnswersAsync(shadow.Address);
    }

    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")]
    [TestCase("HTTP/1.1 204 No Content\r\n\r\n")]
    [TestCase("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno")]
    [TestCase("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-T: 1\r\n\r\n")]
    public async Task TheShadowsConnectionIsUsedAgain(string answer)
    {
        await using var shadow = new HeldOrigin();
        await using ProxyFixture proxy = await StartAsync(shadow.Address);
        using RawClient client = await proxy.ConnectAsync(Token);
        for (int i = 0; i < 5; i++)
        {
            await AskAsync(client, Get);
            await shadow.ArrivedAsync(Token);
            shadow.Answer(answer);
            await QuietAsync(proxy);
        }
        Assert.That(shadow.Connections, Is.EqualTo(1));
    }

    [Test]
    public async Task ALongAnswerIsReadToItsEnd()
    {
        await using var shadow = new HeldOrigin();
        await using ProxyFixture proxy = await StartAsync(shadow.Address);
        using RawClient client = await proxy.ConnectAsync(Token);
        for (int i = 0; i < 2; i++)
        {
            await AskAsync(client, Get);
            await shadow.ArrivedAsync(Token);
            shadow.Answer(HeldOrigin.Ok(new string('x', Mirror.AnswerBytesMax)));
            await QuietAsync(proxy);
        }
        Assert.That(shadow.Connections, Is.EqualTo(1));
    }

    [Test]
    public async Task ABodyThatComesLaterAndAnUpgradeAreNotCopied()
    {
        await using HeldOrigin app = new(), shadow = new();
        await using ProxyFixture proxy = await StartAsync(shadow.Address, route: new() { Cluster = "other" }, other: app.Address);
        foreach ((string head, string body) in new[]
        {
            ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n", "body"),
            ("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", "4\r\nbody\r\n"),
            ("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", ""),
        })
        {
            using RawClient client = await proxy.ConnectAsync(Token);
            await client.SendAsync(head, Token);
            await app.ArrivedAsync(Token); // so that the body comes after the head
            await client.SendAsync(body, Token);
            app.Answer(Answer.Replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n", StringComparison.Ordinal));
            Assert.That(await client.ReadResponseAsync(Token), Does.EndWith("ok"));
        }
        await QuietAsync(proxy);
        Assert.That(CountsOf(proxy), Is.EqualTo((0, 0, 3)));
        Assert.That(shadow.Requests, Is.Zero);
    }

    [TestCase(0, 0, 0)]
    [TestCase(25, 50, 150)] // 100 expected of 400; 5.8 standard deviations
    public async Task APartIsCopied(int percent, int from, int to)
    {
        await using ScriptedOrigin shadow = ScriptedOrigin.Answering(Answer);
        await using ProxyFixture proxy = await StartAsync(shadow.Address, new() { Cluster = "", Percent = percent, RequestsMax = 1000 });
        using RawClient client = await proxy.ConnectAsync(Token);
        for (int i = 0; i < 400; i++) await AskAsync(client, Get);
        await QuietAsync(proxy);
        Assert.That(MirrorOf(proxy).SentCount, Is.InRange(from, to));
        Assert.That(MirrorOf(proxy).DroppedCount, Is.Zero);
    }

    [Test]
    public async Task ThoseBeyondTheLimitAreLeftOut()
    {
        await using var shadow = new HeldOrigin();
        await using ProxyFixture proxy = await StartAsync(shadow.Address, new() { Cluster = "", RequestsMax = 2 });
        using RawClient client = await proxy.ConnectAsync(Token);
        for (int i = 0; i < 5; i++) Assert.That(await AskAsync(client, Get), Does.EndWith("ok"));
        Assert.That(CountsOf(proxy), Is.EqualTo((2, 3, 0)));
        for (int i = 0; i < 2; i++)
        {
            await shadow.ArrivedAsync(Token);
            shadow.Answer(Answer);
        }
        await QuietAsync(proxy);
        await AskAsync(client, Get);
        Assert.That(CountsOf(proxy), Is.EqualTo((3, 3, 0)));
        await shadow.ArrivedAsync(Token);
    }

    [Test]
    public async Task AShadowAtItsLimitOrWithoutDestinationsGetsNone()
    {
        await using var shadow = new HeldOrigin();
        await using ProxyFixture proxy = await StartAsync(shadow.Address, change: c => c with
        {
            Destinations = new Dictionary<string, DestinationConfig> { ["s"] = c.Destinations["s"] with { RequestsMax = 1 } },
            Queue = new() { RequestsMax = 10 },
        });
        using RawClient client = await proxy.ConnectAsync(Token);
        await AskAsync(client, Get);
        await shadow.ArrivedAsync(Token);
        await AskAsync(client, Get);
        Assert.That(CountsOf(proxy), Is.EqualTo((1, 1, 0)));
        proxy.Server.UpdateDestinations("shadow", new Dictionary<string, DestinationConfig>());
        shadow.Answer(Answer);
        await proxy.TurnAsync(Token);
        await AskAsync(client, Get);
        Assert.That(CountsOf(proxy), Is.EqualTo((1, 2, 0)));
    }

    [Test]
    public async Task ARouteThatSplitsMirrorsToo()
    {
        await using ScriptedOrigin shadow = ScriptedOrigin.Answering(Answer);
        await using ProxyFixture proxy = await StartAsync(shadow.Address, route: new() { Split = new Dictionary<string, int> { ["app"] = 1, ["other"] = 1 } }, other: _app.Address);
        using RawClient client = await proxy.ConnectAsync(Token);
        for (int i = 0; i < 20; i++) await AskAsync(client, Get);
        await QuietAsync(proxy);
        Assert.That(MirrorOf(proxy).SentCount, Is.EqualTo(20));
    }

    [Test]
    public async Task AShadowThatFailsIsEjected()
    {
        await using ScriptedOrigin bad = ScriptedOrigin.Answering("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"), good = ScriptedOrigin.Answering(Answer);
        await using ProxyFixture proxy = await StartAsync(bad.Address, change: c => c with
        {
            Balance = "round-robin",
            Ejection = new() { ConsecutiveFailures = 3 },
            PanicThresholdPercent = 0,
            Destinations = new Dictionary<string, DestinationConfig> { ["s"] = c.Destinations["s"], ["t"] = new() { Address = good.Address } },
        });
        using RawClient client = await proxy.ConnectAsync(Token);
        for (int i = 0; i < 10; i++)
        {
            await AskAsync(client, Get);
            await QuietAsync(proxy);
        }
        Assert.That(MirrorOf(proxy).Cluster.Scheduler.Destinations[0].Status, Is.EqualTo(Balancing.DestinationStatus.Ejected));
        Assert.That(await AskAsync(client, Get), Does.EndWith("ok"));
        await QuietAsync(proxy);
    }

    /// <summary>Time stands still, so that the drain limit never passes: the stop ends only because nobody waits for copies.</summary>
    [Test]
    public async Task AServerThatStopsWaitsForNoCopy([Values] bool isLookedUp)
    {
        await using var shadow = new HeldOrigin();
        await using ProxyFixture proxy = await StartAsync(isLookedUp ? "shadow.invalid:80" : shadow.Address);
        if (isLookedUp) MirrorOf(proxy).Cluster.Members.Present.Single().Resolving = new TaskCompletionSource().Task; // does not end
        using RawClient client = await proxy.ConnectAsync(Token);
        Assert.That(await AskAsync(client, Get), Does.EndWith("ok"));
        if (!isLookedUp) await shadow.ArrivedAsync(Token);
        await proxy.Server.StopAsync(Token);
        Assert.That(MirrorOf(proxy).Cluster.Scheduler.Destinations[0].Outstanding, Is.Zero);
        if (!isLookedUp) Assert.That(await shadow.EndedAsync(Token), Is.EqualTo(StreamEnd.Reset));
    }

    [Test]
    public async Task AServerThatStopsCutsCopiesAlsoWhereTheLastToGoIsAHandshake()
    {
        using var certificate = new TestCertificate("h");
        await using ProxyFixture proxy = await StartAsync("shadow.invalid:80", listener: new() { Address = "127.0.0.1:0", Tls = new() { Certificates = [new() { File = certificate.Pem }] } });
        MirrorOf(proxy).Cluster.Members.Present.Single().Resolving = new TaskCompletionSource().Task; // does not end
        using RawClient client = await proxy.ConnectAsync(Token), silent = await RawClient.ConnectAsync(proxy.Server.Endpoints["second"], Token);
        Assert.That(await AskAsync(client, Get), Does.EndWith("ok"));
        while (proxy.Server.Contexts[0].ConnectionCount < 2) await proxy.TurnAsync(Token);
        await proxy.Server.StopAsync(Token);
        Assert.That(MirrorOf(proxy).Cluster.Scheduler.Destinations[0].Outstanding, Is.Zero);
    }

    [Test]
    public async Task AServerThatIsCutLeavesNothingBehind([Values] bool isLookedUp)
    {
        await using var shadow = new HeldOrigin();
        ProxyFixture proxy = await StartAsync(isLookedUp ? "shadow.invalid:80" : shadow.Address);
        if (isLookedUp) MirrorOf(proxy).Cluster.Members.Present.Single().Resolving = new TaskCompletionSource().Task;
        using RawClient client = await proxy.ConnectAsync(Token);
        Assert.That(await AskAsync(client, Get), Does.EndWith("ok"));
        await proxy.DisposeAsync();
    }

    [Test]
    public async Task AClientThatLeavesTakesNoCopyWithIt()
    {
        await using HeldOrigin app = new(), shadow = new();
        await using ProxyFixture proxy = await StartAsync(shadow.Address, route: new() { Cluster = "other" }, other: app.Address);
        RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(Post, Token);
        await app.ArrivedAsync(Token);
        await shadow.ArrivedAsync(Token);
        client.Reset();
        await app.EndedAsync(Token);
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.ClientAborted));
        shadow.Answer(Answer);
        await QuietAsync(proxy);
        Assert.That(shadow.Connections, Is.EqualTo(1));
    }
}
