using LoadBalancer.Core;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Transport;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>Requests sent before the answers to those before them were read.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(20_000)]
public sealed class PipeliningTests(TransportKind transport)
{
    private const string Request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    private ProxyConfig Answering => ProxyFixture.Config(transport) with
    {
        Routes = new Dictionary<string, RouteConfig> { ["all"] = new() { Respond = new() { Status = 204 } } },
        Clusters = new Dictionary<string, ClusterConfig>(),
    };

    [SetUp]
    public void SkipWhereUnsupported() => Transports.Require(transport);

    [Test]
    public async Task RequestsThatAreAllThereDoNotKeepTheLoopFromOtherWork()
    {
        const int Count = 1000; // fit into one receive
        var turns = new TurnWatch();
        await using var server = new ProxyServer(Answering, new ErrorLog(), turns);
        await server.StartAsync(Token);
        using RawClient client = await RawClient.ConnectAsync(server.Endpoints["main"], Token);
        await client.SendAsync(Request, Token);
        await client.ReadUntilAsync("\r\n\r\n", Token);

        using var sent = new ManualResetEventSlim();
        turns.Loop = server.Contexts[0].Loop;
        turns.Loop.Post(new Work(() => sent.Wait()));
        await client.SendAsync(string.Concat(Enumerable.Repeat(Request, Count)), Token);
        sent.Set();
        for (int i = 0; i < Count; i++) await client.ReadUntilAsync("\r\n\r\n", Token);
        Assert.That(await turns.AnsweredFirst.Task, Is.LessThan(Count / 4), "requests answered before other work had its turn");
    }

    [Test]
    public async Task RequestsBehindTheLastOfAConnectionDoNotResetIt()
    {
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var sent = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            arrived.SetResult();
            await sent.Task;
            await c.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", t);
        });
        ProxyConfig config = ProxyFixture.Config(transport, origin.Address);
        config = config with { Listeners = new Dictionary<string, ListenerConfig> { ["main"] = config.Listeners["main"] with { Limits = new() { RequestsPerConnectionMax = 1 } } } };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(Request, Token);
        await arrived.Task;
        await client.SendAsync(Request, Token);
        sent.SetResult();
        Assert.That(await client.ReadToEndAsync(Token), Does.EndWith("ok"));
        await AssertLingersAsync(proxy);
    }

    [Test]
    public async Task RequestsBehindTheLastBeforeADrainDoNotResetTheConnection()
    {
        var headRead = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            await c.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", t);
            await headRead.Task;
            await c.SendAsync("ok", t);
        });
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(Request, Token);
        await client.ReadUntilAsync("\r\n\r\n", Token);
        await client.SendAsync(Request, Token);
        Task stop = proxy.Server.StopAsync(Token);
        await proxy.TurnAsync(Token);
        headRead.SetResult();
        Assert.That(await client.ReadToEndAsync(Token), Is.EqualTo("ok"));
        await AssertLingersAsync(proxy);
        client.HalfClose();
        await stop;
    }

    [TestCase("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n")]
    [TestCase("no request\r\n\r\n")]
    public async Task DrainingDoesNotCutAConnectionWhoseClientStillSends(string request)
    {
        var time = new FakeTimeProvider();
        ProxyConfig config = Answering;
        config = config with { Listeners = new Dictionary<string, ListenerConfig> { ["main"] = config.Listeners["main"] with { Limits = new() { RequestBodyBytesMax = 10 } } } };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config, time);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(request, Token);
        await client.ReadToEndAsync(Token);
        Task stop = proxy.Server.StopAsync(Token);
        await proxy.TurnAsync(Token);
        time.Advance(TimeSpan.FromSeconds(1)); // it may linger for two
        await AssertLingersAsync(proxy);
        client.HalfClose();
        await stop;
    }

    // Closed now, with bytes of the client unread or still to come, it would be reset.
    private static async Task AssertLingersAsync(ProxyFixture proxy)
    {
        await proxy.TurnAsync(Token);
        Assert.That(proxy.Server.Contexts[0].ConnectionCount, Is.EqualTo(1), "connections that wait for their client's end");
    }

    // Counts what is answered between the first of many and the loop's next look at its other work.
    private sealed class TurnWatch : ICompletionObserver
    {
        private int _answered;

        internal TransportLoop? Loop { get; set; }

        internal TaskCompletionSource<int> AnsweredFirst { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void OnCompleted(CompletionRecord record)
        {
            if (Loop is { } loop && ++_answered == 1) loop.Post(new Work(() => AnsweredFirst.SetResult(_answered)));
        }
    }

    private sealed class Work(Action action) : LoopWork
    {
        protected internal override void Execute() => action();
    }
}
