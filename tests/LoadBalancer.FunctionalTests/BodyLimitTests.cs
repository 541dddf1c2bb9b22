using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>RFC 9110 §15.5.14: request bodies larger than allowed.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(20_000)]
public sealed class BodyLimitTests(TransportKind transport) : ExchangeTests(transport)
{
    private static Func<ProxyConfig, ProxyConfig> Limit => Listener(l => l with { Limits = new() { RequestBodyBytesMax = 5 } });

    [TestCase("Content-Length: 5\r\n\r\nhello", "hello")]
    [TestCase("Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", "0\r\n\r\n")]
    public async Task ABodyAtTheLimitPasses(string rest, string end) =>
        Assert.That(await ForwardedAsync($"POST / HTTP/1.1\r\nHost: h\r\n{rest}", end, Limit), Does.EndWith(end));

    [TestCase("Content-Length: 600\r\n\r\nhello")]
    [TestCase("Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n4\r\nllo!\r\n0\r\n\r\n")]
    public async Task ATooLargeBodyIs413(string rest)
    {
        await using var origin = new ScriptedOrigin(async (c, _, t) => await c.ReadToEndAsync(t));
        await using ProxyFixture proxy = await StartAsync(origin, Limit);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync($"POST / HTTP/1.1\r\nHost: h\r\n{rest}", Token);
        Assert.That(await client.ReadToEndAsync(Token), Does.StartWith("HTTP/1.1 413 Content Too Large\r\n").And.Contains("\r\nConnection: close\r\n"));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.RequestBodyTooLarge));
    }

    [Test]
    public async Task ATooLargeBodyThatIsThereAlreadyDoesNotEndTheConnection()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, Limit);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nhello!GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 413 ").And.Not.Contains("Connection: close"));
        Assert.That(await client.ReadResponseAsync(Token), Does.EndWith("ok"));
    }
}
