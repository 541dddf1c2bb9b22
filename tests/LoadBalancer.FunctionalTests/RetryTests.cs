using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>RFC 9110 §9.2.2: what may be sent twice.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(20_000)]
public sealed class RetryTests(TransportKind transport) : ExchangeTests(transport)
{
    // A kept connection is closed in the face of the second request.
    [TestCase("GET", 2)]
    [TestCase("HEAD", 2)]
    [TestCase("OPTIONS", 2)]
    [TestCase("PUT", 2)]
    [TestCase("DELETE", 2)]
    [TestCase("POST", 1)]
    [TestCase("PATCH", 1)]
    [TestCase("UNKNOWN", 1)]
    public async Task OnAKeptConnectionOnlyIdempotentRequestsAreRepeated(string method, int attempts)
    {
        await using var origin = new ScriptedOrigin(async (c, number, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            await c.SendAsync("HTTP/1.1 204 No Content\r\n\r\n", t);
            if (number == 1) await c.ReadUntilAsync("\r\n\r\n", t);
            else await c.ReadToEndAsync(t);
        });
        await using ProxyFixture proxy = await StartAsync(origin);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        await client.ReadResponseAsync(Token);
        await client.SendAsync($"{method} / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", Token);
        Assert.That(await client.ReadResponseAsync(Token, headOnly: true), Does.StartWith(attempts == 2 ? "HTTP/1.1 204 " : "HTTP/1.1 502 "));
        await proxy.Completions.NextAsync(Token);
        Assert.That((await proxy.Completions.NextAsync(Token)).Attempts, Is.EqualTo(attempts));
    }

    [TestCase("GET", 3)]
    [TestCase("PUT", 1)]
    [TestCase("DELETE", 1)]
    [TestCase("POST", 1)]
    [TestCase("UNKNOWN", 1)]
    public async Task OnAFreshConnectionOnlySafeRequestsAreRepeated(string method, int attempts)
    {
        await using var origin = new ScriptedOrigin(async (c, _, t) => await c.ReadUntilAsync("\r\n\r\n", t));
        await using ProxyFixture proxy = await StartAsync(origin);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync($"{method} / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 502 "));
        Completion completion = await proxy.Completions.NextAsync(Token);
        Assert.That((completion.Reason, completion.Attempts), Is.EqualTo((EndReason.UpstreamClosed, attempts)));
    }

    [Test]
    public async Task AHeadThatBreaksOffIsAnAnswerOfWhichThereIsOnlyOne()
    {
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            await c.SendAsync("HTTP/1.1 2", t);
        });
        await using ProxyFixture proxy = await StartAsync(origin);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 502 "));
        Assert.That((await proxy.Completions.NextAsync(Token)).Attempts, Is.EqualTo(1));
    }
}
