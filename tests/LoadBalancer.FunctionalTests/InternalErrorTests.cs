using LoadBalancer.Core;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Upstream;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>Code that throws where nothing should: one exchange ends, it is logged, and nothing of it is left behind.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(20_000)]
public sealed class InternalErrorTests(TransportKind transport)
{
    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SkipWhereUnsupported() => Transports.Require(transport);

    [Test]
    public async Task AnObserverThatThrowsDoesNotTouchTheConnection()
    {
        await using var origin = new EchoOrigin();
        var log = new ErrorLog();
        await using var server = new ProxyServer(ProxyFixture.Config(transport, origin.Address), log, new Throwing());
        await server.StartAsync(Token);
        using RawClient client = await RawClient.ConnectAsync(server.Endpoints["main"], Token);
        for (int i = 0; i < 2; i++)
        {
            await client.SendAsync("GET /bytes/3 HTTP/1.1\r\nHost: h\r\n\r\n", Token);
            Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 200 "));
        }
        await client.SendAsync("GET /bytes/3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", Token);
        Assert.That(await client.ReadToEndAsync(Token), Does.StartWith("HTTP/1.1 200 "));
        Assert.That((client.End, log.Errors.Count), Is.EqualTo((StreamEnd.Fin, 3)));
    }

    [TestCase("", EndReason.HandshakeTimeout)]
    [TestCase("no hello", EndReason.HandshakeFailed)]
    public async Task AnObserverThatThrowsForAConnectionWithoutARequestLeavesNothingBehind(string said, EndReason expected)
    {
        var log = new ErrorLog();
        var observer = new Throwing();
        using var certificate = new TestCertificate("h");
        ProxyConfig config = ProxyFixture.Config(transport, "127.0.0.1:1");
        config = config with
        {
            Listeners = new Dictionary<string, ListenerConfig>
            {
                ["main"] = config.Listeners["main"] with { Tls = new() { Certificates = [new() { File = certificate.Pem }], HandshakeTimeout = TimeSpan.FromMilliseconds(100) } },
            },
        };
        await using var server = new ProxyServer(config, log, observer);
        await server.StartAsync(Token);
        using RawClient client = await RawClient.ConnectAsync(server.Endpoints["main"], Token);
        await client.SendAsync(said, Token);
        await client.ReadToEndAsync(Token);
        Assert.That(await observer.First.Task.WaitAsync(Token), Is.EqualTo(expected));
        await server.StopAsync(Token);
        Assert.That((server.Contexts[0].ConnectionCount, log.Errors.Count), Is.EqualTo((0, 1)));
    }

    [TestCase("GET / HTTP/1.1\r\nHost: h\r\n\r\n")]
    [TestCase("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", Description = "its body is still under way")]
    public async Task AnErrorWhileAnsweringCutsTheClientAndLeavesNothingBehind(string request)
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        var clock = new BrokenClock();
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address), clock);
        using RawClient client = await proxy.ConnectAsync(Token);
        clock.Break();
        await client.SendAsync(request, Token);
        await client.ReadToEndAsync(Token);
        Assert.That((client.End, (await proxy.Completions.NextAsync(Token)).Reason), Is.EqualTo((StreamEnd.Reset, EndReason.InternalError)));
        Assert.That(proxy.Log.TakeErrors(), Has.One.Contains("no calendar"));
        using RawClient next = await proxy.ConnectAsync(Token);
        await next.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        Assert.That(await next.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 200 "));
    }

    [Test]
    public async Task ANameThatCannotBeLookedUpAtAllGives502()
    {
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, "any.test:9"), names: new UnwillingResolver());
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 502 "));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.UpstreamUnresolved));
    }

    private sealed class UnwillingResolver : INameResolver
    {
        public Task<NameAnswer> ResolveAsync(string name, CancellationToken cancellationToken = default) => throw new ArgumentException("a host that it does not take", nameof(name));
    }

    private sealed class Throwing : ICompletionObserver
    {
        internal TaskCompletionSource<EndReason> First { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void OnCompleted(CompletionRecord record)
        {
            First.TrySetResult(record.Reason);
            throw new InvalidOperationException("an observer's fault");
        }
    }

    // Asked for the date when the head of an answer is written, for the first time in a second.
    private sealed class BrokenClock : TimeProvider
    {
        private int _isBroken;

        internal void Break() => Volatile.Write(ref _isBroken, 1);

        public override DateTimeOffset GetUtcNow() => Interlocked.Exchange(ref _isBroken, 0) == 1 ? throw new InvalidOperationException("no calendar") : base.GetUtcNow();
    }
}
