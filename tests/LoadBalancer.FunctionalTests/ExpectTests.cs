using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>RFC 9110 §10.1.1.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(20_000)]
public sealed class ExpectTests(TransportKind transport) : ExchangeTests(transport)
{
    [TestCase("POST / HTTP/1.0\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi", "hi")]
    [TestCase("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n", null)]
    [TestCase("GET / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n", null)]
    public async Task AnExpectationOfHttp10OrWithoutContentIsIgnored(string request, string? body) =>
        Assert.That(await ForwardedAsync(request, body), Does.Not.Contain("Expect"));

    [TestCase("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n")]
    [TestCase("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 2\r\n\r\nno")]
    public async Task AFinalAnswerInsteadOfContinueEndsTheConnection(string answer)
    {
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            await c.SendAsync(answer, t);
            await c.ReadToEndAsync(t);
        });
        await using ProxyFixture proxy = await StartAsync(origin);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 50\r\nExpect: 100-continue\r\n\r\n", Token);
        string got = await client.ReadResponseAsync(Token);
        Assert.That(got, Does.StartWith(answer[..answer.IndexOf('\r', StringComparison.Ordinal)]).And.Contains("\r\nConnection: close\r\n"));
        await client.SendAsync("GET /2 HTTP/1.1\r\nHost: h\r\n\r\n", Token); // the body that was announced, or else: nobody can tell
        Assert.That(await client.ReadToEndAsync(Token), Is.Empty);
        Assert.That(origin.Connections, Is.EqualTo(1));
    }

    [Test]
    public async Task AnEarlyAnswerOfADestinationThatClosesSaysThatWeCloseToo()
    {
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("some", t);
            await c.SendAsync("HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", t);
            await c.ReadToEndAsync(t);
        });
        await using ProxyFixture proxy = await StartAsync(origin);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 50\r\n\r\nsome", Token);
        Assert.That(await client.ReadToEndAsync(Token), Does.StartWith("HTTP/1.1 413 ").And.Contains("\r\nConnection: close\r\n"));
        Assert.That(client.End, Is.EqualTo(StreamEnd.Fin));
    }
}
