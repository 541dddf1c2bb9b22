using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>RFC 9112 §2.3, RFC 9110 §2.5 and §6.2: each side is spoken to in our version, and asked for no more than it knows.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(20_000)]
public sealed class VersionTests(TransportKind transport) : ExchangeTests(transport)
{
    [TestCase("1.0")]
    [TestCase("1.1")]
    [TestCase("1.2")]
    [TestCase("1.9")]
    public async Task OurOwnVersionIsSentBothWays(string version)
    {
        Assert.That(await ForwardedAsync($"GET /a HTTP/{version}\r\nHost: h\r\n\r\n"), Does.StartWith("GET /a HTTP/1.1\r\n"));
        Assert.That(await AnsweredAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", $"HTTP/{version} 204 No Content\r\n\r\n"), Does.StartWith("HTTP/1.1 204 No Content\r\n"));
    }

    [Test]
    public async Task ALaterMinorVersionIsServedAsHttp11()
    {
        string got = await AnsweredAsync("GET / HTTP/1.2\r\nHost: h\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n");
        Assert.That(got, Does.Contain("\r\nTransfer-Encoding: chunked\r\n").And.Not.Contains("Connection: close").And.EndsWith("ok"));
    }

    [TestCase("HTTP/2.0 200 OK\r\n\r\n")]
    [TestCase("HTTP/0.9 200 OK\r\n\r\n")]
    public async Task AnotherMajorVersionFromADestinationIsABadResponse(string answer) =>
        Assert.That(await AnsweredAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", answer), Does.StartWith("HTTP/1.1 502 "));

    [Test]
    public async Task AnHttp10ClientGetsAChunkedResponseDecoded()
    {
        string got = await AnsweredAsync("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nok\r\n3\r\nay!\r\n0\r\nX-End: 1\r\n\r\n");
        Assert.That(got, Does.Not.Contain("chunked").And.Not.Contains("X-End").And.Contains("\r\nConnection: close\r\n").And.EndsWith("\r\n\r\nokay!"));
    }

    [TestCase("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")]
    [TestCase("Content-Length: 9\r\n\r\nhello")]
    public async Task AnHttp10ClientSeesATruncatedResponseAsReset(string answer)
    {
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            await c.SendAsync("HTTP/1.1 200 OK\r\n" + answer, t);
            await seen.Task.WaitAsync(t);
        });
        await using ProxyFixture proxy = await StartAsync(origin);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("GET / HTTP/1.0\r\n\r\n", Token);
        await client.ReadUntilAsync("hello", Token);
        seen.SetResult();
        await client.ReadToEndAsync(Token);
        Assert.That(client.End, Is.EqualTo(StreamEnd.Reset));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.UpstreamTruncated));
    }

    [Test]
    public async Task AnHttp10RequestWithoutHostGetsTheDestinationsOwn()
    {
        string seen = await ForwardedAsync("GET / HTTP/1.0\r\n\r\n");
        Assert.That(seen, Does.StartWith("GET / HTTP/1.1\r\nHost: 127.0.0.1:"));
    }
}
