using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>Limits of requests for each destination, and the queue before them.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(30_000)]
public sealed class QueueTests(TransportKind transport) : FleetTests(transport)
{
    private const string Request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

    // One destination that takes one request at a time and answers when told to.
    private async Task<(ScriptedOrigin Origin, SemaphoreSlim Answers, ProxyFixture Proxy)> StartOneAsync(int queue, RouteConfig? route = null)
    {
        var answers = new SemaphoreSlim(0);
        var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            while (true)
            {
                string head = await c.ReadUntilAsync("\r\n\r\n", t);
                await answers.WaitAsync(t);
                string target = head.Split(' ')[1];
                await c.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {target.Length}\r\n\r\n{target}", t);
            }
        });
        ProxyConfig config = ProxyFixture.Config(Transport, origin.Address);
        var cluster = new ClusterConfig
        {
            Destinations = new Dictionary<string, DestinationConfig> { ["d0"] = new() { Address = origin.Address, RequestsMax = 1 } },
            Queue = new() { RequestsMax = queue },
        };
        ProxyFixture proxy = await ProxyFixture.StartAsync(config with
        {
            Clusters = new Dictionary<string, ClusterConfig> { ["app"] = cluster },
            Routes = new Dictionary<string, RouteConfig> { ["all"] = (route ?? new()) with { Cluster = "app" } },
        }, Time);
        return (origin, answers, proxy);
    }

    private static async Task<RawClient> SendAsync(ProxyFixture proxy, string request = Request)
    {
        RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(request, Token);
        await SettleAsync(proxy);
        return client;
    }

    [Test]
    public async Task WithoutAQueueARequestBeyondTheLimitIs503()
    {
        (ScriptedOrigin origin, SemaphoreSlim answers, ProxyFixture proxy) = await StartOneAsync(queue: 0);
        await using (origin)
        await using (proxy)
        {
            using RawClient first = await SendAsync(proxy);
            using RawClient second = await proxy.ConnectAsync(Token);
            await second.SendAsync(Request, Token);
            Assert.That(await second.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 503 ").And.Contain("\r\nRetry-After: 1\r\n"));
            Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.UpstreamOverloaded));
            answers.Release();
            Assert.That(await first.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 200 "));
        }
    }

    [Test]
    public async Task ThoseThatWaitAreServedInTheirOrderAndOneTooManyIs503()
    {
        (ScriptedOrigin origin, SemaphoreSlim answers, ProxyFixture proxy) = await StartOneAsync(queue: 2);
        await using (origin)
        await using (proxy)
        {
            using RawClient first = await SendAsync(proxy, Request.Replace("/ ", "/1 ", StringComparison.Ordinal));
            using RawClient second = await SendAsync(proxy, Request.Replace("/ ", "/2 ", StringComparison.Ordinal));
            using RawClient third = await SendAsync(proxy, Request.Replace("/ ", "/3 ", StringComparison.Ordinal));
            using RawClient fourth = await proxy.ConnectAsync(Token);
            await fourth.SendAsync(Request, Token);
            Assert.That(await fourth.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 503 "));
            Completion refused = await proxy.Completions.NextAsync(Token);
            Assert.That((refused.Reason, refused.Attempts), Is.EqualTo((EndReason.QueueFull, 0)));

            Time.Advance(TimeSpan.FromSeconds(1));
            foreach ((RawClient client, string body, bool waited) in new[] { (first, "/1", false), (second, "/2", true), (third, "/3", true) })
            {
                answers.Release();
                Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 200 ").And.EndWith(body));
                Completion completion = await proxy.Completions.NextAsync(Token);
                Assert.That((completion.Target, completion.QueuedTicks >= Time.TimestampFrequency), Is.EqualTo((body, waited)));
            }
        }
    }

    [Test]
    public async Task ARequestThatWaitsTooLongIs503()
    {
        (ScriptedOrigin origin, SemaphoreSlim answers, ProxyFixture proxy) = await StartOneAsync(queue: 2);
        await using (origin)
        await using (proxy)
        {
            using RawClient first = await SendAsync(proxy);
            using RawClient second = await SendAsync(proxy);
            Time.Advance(TimeSpan.FromSeconds(1.9));
            await SettleAsync(proxy);
            Assert.That(proxy.Completions.IsEmpty);
            Time.Advance(TimeSpan.FromSeconds(0.2));
            Assert.That(await second.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 503 ").And.Contain("\r\nRetry-After: 1\r\n"));
            Completion completion = await proxy.Completions.NextAsync(Token);
            Assert.That((completion.Reason, completion.Attempts), Is.EqualTo((EndReason.QueueTimeout, 0)));
            Assert.That(completion.QueuedTicks, Is.GreaterThanOrEqualTo(2 * Time.TimestampFrequency));
            answers.Release();
            Assert.That(await first.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 200 "));
            Assert.That((await proxy.Completions.NextAsync(Token)).QueuedTicks, Is.Zero);
            // Its place is free again.
            answers.Release();
            await second.SendAsync(Request, Token);
            Assert.That(await second.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 200 "));
        }
    }

    [Test]
    public async Task TheDeadlineOfARouteAlsoRunsWhileWaiting()
    {
        (ScriptedOrigin origin, SemaphoreSlim answers, ProxyFixture proxy) = await StartOneAsync(queue: 2, new RouteConfig { Deadline = TimeSpan.FromSeconds(1) });
        await using (origin)
        await using (proxy)
        {
            using RawClient first = await SendAsync(proxy);
            using RawClient second = await SendAsync(proxy);
            Time.Advance(TimeSpan.FromSeconds(1.1));
            Assert.That(await second.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 504 "));
            Assert.That(await first.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 504 "));
            answers.Release();
        }
    }

    [Test]
    public async Task AClientThatLeavesWhileWaitingIsForgotten()
    {
        (ScriptedOrigin origin, SemaphoreSlim answers, ProxyFixture proxy) = await StartOneAsync(queue: 1);
        await using (origin)
        await using (proxy)
        {
            using RawClient first = await SendAsync(proxy);
            RawClient second = await SendAsync(proxy);
            second.Reset();
            Completion gone = await proxy.Completions.NextAsync(Token);
            Assert.That((gone.Reason, gone.Status), Is.EqualTo((EndReason.ClientAborted, 0)));
            using RawClient third = await SendAsync(proxy); // there is room for one again
            answers.Release(2);
            Assert.That(await first.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 200 "));
            Assert.That(await third.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 200 "));
        }
    }

    [Test]
    public async Task ADestinationAtItsLimitLeavesRequestsToTheOthers()
    {
        (ScriptedOrigin slow, SemaphoreSlim answers, ProxyFixture unused) = await StartOneAsync(queue: 0);
        await unused.DisposeAsync();
        await using (slow)
        {
            await using ScriptedOrigin other = ScriptedOrigin.Answering("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother");
            ProxyConfig config = ProxyFixture.Config(Transport, slow.Address, other.Address);
            var destinations = config.Clusters["app"].Destinations.ToDictionary(d => d.Key, d => d.Value with { RequestsMax = d.Key == "d0" ? 1 : 0 });
            await using ProxyFixture proxy = await ProxyFixture.StartAsync(config with
            {
                Clusters = new Dictionary<string, ClusterConfig> { ["app"] = new() { Balance = "first", Destinations = destinations } },
            }, Time);
            using RawClient first = await SendAsync(proxy);
            using RawClient second = await proxy.ConnectAsync(Token);
            await second.SendAsync(Request, Token);
            Assert.That(await second.ReadResponseAsync(Token), Does.EndWith("other"));
            answers.Release();
            await first.ReadResponseAsync(Token);
        }
    }

    // A wake-up lost between loops would leave a client waiting for its time-out, which is not reached.
    [TestCase(1)]
    [TestCase(2)]
    public async Task ManyRequestsOverSeveralLoopsAllGetTheirTurn(int limit)
    {
        const int Clients = 24, Requests = 200;
        await using var origin = new EchoOrigin();
        ProxyConfig config = ProxyFixture.Config(Transport, origin.Address);
        var cluster = new ClusterConfig
        {
            Destinations = new Dictionary<string, DestinationConfig> { ["d0"] = new() { Address = origin.Address, RequestsMax = limit } },
            Queue = new() { RequestsMax = Clients, Timeout = TimeSpan.FromMinutes(5) },
        };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config with
        {
            Transport = new() { Kind = Transport, Loops = 3 },
            Clusters = new Dictionary<string, ClusterConfig> { ["app"] = cluster },
        });
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => Task.Run(async () =>
        {
            using RawClient client = await proxy.ConnectAsync(Token);
            for (int i = 0; i < Requests; i++)
            {
                await client.SendAsync("GET /id HTTP/1.1\r\nHost: h\r\n\r\n", Token);
                Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 200 "));
            }
        })));
    }
}
