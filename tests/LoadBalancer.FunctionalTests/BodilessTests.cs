using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>RFC 9112 §6.3 items 1 and 2, RFC 9110 §8.6, §9.3.2, §15.3.6: answers whose end does not depend on their length fields.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(20_000)]
public sealed class BodilessTests(TransportKind transport) : ExchangeTests(transport)
{
    [TestCase("GET", "HTTP/1.1 204 No Content\r\n\r\n", "")]
    [TestCase("GET", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", "")]
    [TestCase("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\nETag: \"x\"\r\n\r\n", "Content-Length: 10\r\nETag: \"x\"\r\n")]
    [TestCase("GET", "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", "")]
    [TestCase("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", "Content-Length: 1000\r\n")]
    [TestCase("HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "")]
    [TestCase("HEAD", "HTTP/1.1 200 OK\r\n\r\n", "")]
    [TestCase("HEAD", "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\n", "Content-Length: 5\r\n")]
    [TestCase("GET", "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n", "Content-Length: 0\r\n")]
    public async Task TheNextAnswerFollowsAtOnce(string method, string answer, string fields)
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(answer);
        await using ProxyFixture proxy = await StartAsync(origin);
        using RawClient client = await proxy.ConnectAsync(Token);
        for (int i = 0; i < 3; i++)
        {
            await client.SendAsync($"{method} / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
            string head = await client.ReadResponseAsync(Token, headOnly: true);
            Assert.That(head, Does.StartWith(answer[..(answer.IndexOf('\r', StringComparison.Ordinal) + 2)] + fields));
            Assert.That(head.Contains("Content-Length", StringComparison.Ordinal), Is.EqualTo(fields.Length > 0));
            Assert.That(head, Does.Not.Contain("Transfer-Encoding").And.Not.Contains("Connection"));
        }
        Assert.That(origin.Connections, Is.EqualTo(1), "kept on the other side too");
    }

    [Test]
    public async Task A205OfUnknownLengthIsAnEmptyBody()
    {
        string got = await AnsweredAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 205 Reset Content\r\n\r\n", closes: true);
        Assert.That(got, Does.StartWith("HTTP/1.1 205 ").And.Contains("Transfer-Encoding: chunked\r\n").And.EndsWith("\r\n\r\n"));
    }

    [Test]
    public async Task OurOwnAnswersToHeadHaveNoBody()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, Route(new() { Respond = new() { Body = "hello" } }));
        using RawClient client = await proxy.ConnectAsync(Token);
        for (int i = 0; i < 2; i++)
        {
            await client.SendAsync("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
            Assert.That(await client.ReadUntilAsync("\r\n\r\n", Token), Does.StartWith("HTTP/1.1 200 OK\r\n").And.Contains("\r\nContent-Length: 5\r\n"));
        }
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 200 OK\r\n").And.EndsWith("\r\n\r\nhello"));
    }

    [TestCase(204)]
    [TestCase(304)]
    public async Task OurOwnAnswersWithoutContentHaveNoLength(int status)
    {
        string got = await AnsweredAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", "", configure: Route(new() { Respond = new() { Status = status } }));
        Assert.That(got, Does.StartWith($"HTTP/1.1 {status} ").And.Not.Contains("Content-Length"));
    }
}
