using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>RFC 9110 §15.2: interim responses.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(20_000)]
public sealed class InterimTests(TransportKind transport) : ExchangeTests(transport)
{
    private const string Get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    private const string Hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";

    private static async Task AnswerAsync(RawClient c, string answer, CancellationToken t)
    {
        await c.ReadUntilAsync("\r\n\r\n", t);
        await c.SendAsync(answer, t);
        await c.ReadToEndAsync(t);
    }

    [Test]
    public async Task InterimResponsesPassInOrderAndUnasked()
    {
        await using var origin = new ScriptedOrigin((c, _, t) => AnswerAsync(c, "HTTP/1.1 100 Continue\r\n\r\n" + Hints + "HTTP/1.1 199 New\r\n\r\n" + Ok, t));
        await using ProxyFixture proxy = await StartAsync(origin);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(Get, Token);
        Assert.That(await client.ReadUntilAsync("\r\n\r\n", Token), Does.StartWith("HTTP/1.1 100 Continue\r\n"));
        Assert.That(await client.ReadUntilAsync("\r\n\r\n", Token), Does.StartWith("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n").And.Not.Contains("Content-Length").And.Not.Contains("chunked"));
        Assert.That(await client.ReadUntilAsync("\r\n\r\n", Token), Does.StartWith("HTTP/1.1 199 New\r\n"));
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 200 ").And.EndsWith("ok"));
    }

    [Test]
    public async Task NonePassToHttp10()
    {
        await using var origin = new ScriptedOrigin((c, _, t) => AnswerAsync(c, "HTTP/1.1 100 Continue\r\n\r\n" + Hints + Ok, t));
        await using ProxyFixture proxy = await StartAsync(origin);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("GET / HTTP/1.0\r\nHost: h\r\n\r\n", Token);
        Assert.That(await client.ReadToEndAsync(Token), Does.StartWith("HTTP/1.1 200 ").And.EndsWith("ok"));
    }

    // The first of two destinations says something and closes: it has read the request, so nobody else is asked.
    [TestCase("1.1", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nVia: 1.1 lb\r\n\r\nHTTP/1.1 502 ")]
    [TestCase("1.0", "HTTP/1.1 502 ")]
    public async Task AnInterimResponseAndThenNothingIsNotTriedAgain(string version, string expected)
    {
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            await c.SendAsync(Hints, t);
        });
        await using ProxyFixture proxy = await StartAsync(origin);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync($"GET / HTTP/{version}\r\nHost: h\r\nConnection: close\r\n\r\n", Token);
        Assert.That(await client.ReadToEndAsync(Token), Does.StartWith(expected));
        Completion completion = await proxy.Completions.NextAsync(Token);
        Assert.That((completion.Reason, completion.Attempts, origin.Connections), Is.EqualTo((EndReason.UpstreamClosed, 1, 1)));
    }

    [TestCase("HTTP/1.1 103 x\r\nContent-Length: 0\r\n\r\n")]
    [TestCase("HTTP/1.1 103 x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    public async Task AnInterimResponseWithFramingIsABadResponse(string interim) =>
        Assert.That(await AnsweredAsync(Get, interim + Ok), Does.StartWith("HTTP/1.1 502 "));
}
