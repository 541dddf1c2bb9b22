using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>RFC 9112 §6, §9.2, §9.3, §9.6: where an answer ends, and what follows it.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(20_000)]
public sealed class ResponseFramingTests(TransportKind transport) : ExchangeTests(transport)
{
    private const string Get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

    [TestCase("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")]
    [TestCase("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")]
    [TestCase("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")]
    [TestCase("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok")]
    [TestCase("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n")]
    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok")]
    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok")]
    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nok")]
    [TestCase("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    [TestCase("HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok")]
    [TestCase("HTTP/1.1 200 OK\r\nX : y\r\nContent-Length: 2\r\n\r\nok")]
    [TestCase("HTTP/1.1 200 OK\r\n X: y\r\nContent-Length: 2\r\n\r\nok")]
    [TestCase("HTTP/1.1 200 OK\r\nX: y\r\n folded\r\nContent-Length: 2\r\n\r\nok")]
    [TestCase("HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 2\r\n\r\nok")]
    [TestCase("HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 2\r\n\r\nok")]
    [TestCase("HTTP/1.1 600 High\r\nContent-Length: 2\r\n\r\nok")]
    public async Task AFaultyResponseIsReplacedByA502AndItsConnectionClosed(string answer)
    {
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            await c.SendAsync(answer, t);
            await c.ReadToEndAsync(t);
            closed.SetResult();
        });
        await using ProxyFixture proxy = await StartAsync(origin);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(Get, Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 502 ").And.EndsWith("\r\n\r\n502 Bad Gateway\n"));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.BadResponse));
        await closed.Task.WaitAsync(Token);
    }

    [Test]
    public async Task BytesOnAnIdleConnectionAreNoResponse()
    {
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = new ScriptedOrigin(async (c, number, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            await c.SendAsync(Ok, t);
            if (number == 1)
            {
                await go.Task.WaitAsync(t);
                await c.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", t);
            }
            await c.ReadToEndAsync(t);
            if (number == 1) closed.SetResult();
        });
        await using ProxyFixture proxy = await StartAsync(origin);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(Get, Token);
        await client.ReadResponseAsync(Token);
        await proxy.Completions.NextAsync(Token);
        go.SetResult();
        await closed.Task.WaitAsync(Token);
        await client.SendAsync(Get, Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.EndWith("\r\n\r\nok"));
        Assert.That(origin.Connections, Is.EqualTo(2));
    }

    [TestCase("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")]
    [TestCase("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")]
    public async Task ADestinationThatClosesGetsNoFurtherRequest(string answer)
    {
        var requests = new List<int>();
        await using var origin = new ScriptedOrigin(async (c, number, t) =>
        {
            while (true)
            {
                await c.ReadUntilAsync("\r\n\r\n", t);
                requests.Add(number);
                await c.SendAsync(answer, t);
            }
        });
        await using ProxyFixture proxy = await StartAsync(origin);
        using RawClient client = await proxy.ConnectAsync(Token);
        for (int i = 0; i < 2; i++)
        {
            await client.SendAsync(Get, Token);
            Assert.That(await client.ReadResponseAsync(Token), Does.Not.Contain("Connection: close").And.EndsWith("ok"), "the client's connection is another one");
        }
        Assert.That(requests, Is.EqualTo(new[] { 1, 2 }));
    }

    [TestCase("GET /1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")]
    [TestCase("GET /1 HTTP/1.0\r\nHost: h\r\n\r\n")]
    public async Task NothingIsServedAfterTheLastRequest(string last)
    {
        int requests = 0;
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            while (true)
            {
                await c.ReadUntilAsync("\r\n\r\n", t);
                Interlocked.Increment(ref requests);
                await c.SendAsync(Ok, t);
            }
        });
        await using ProxyFixture proxy = await StartAsync(origin);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(last + "GET /2 HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        string all = await client.ReadToEndAsync(Token);
        Assert.That(all, Does.Contain("\r\nConnection: close\r\n").And.EndsWith("ok"));
        Assert.That((all.Split("HTTP/1.1 200").Length, client.End, requests), Is.EqualTo((2, StreamEnd.Fin, 1)));
    }
}
