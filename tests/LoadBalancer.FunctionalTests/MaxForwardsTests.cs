using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>RFC 9110 §7.6.2, §9.3.7, §9.3.8.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(20_000)]
public sealed class MaxForwardsTests(TransportKind transport) : ExchangeTests(transport)
{
    [TestCase("TRACE", "5", "4")]
    [TestCase("OPTIONS", "1", "0")]
    [TestCase("OPTIONS", "0010", "9")]
    [TestCase("TRACE", "99999999999999", "2147483646")]
    public async Task MaxForwardsIsCountedDown(string method, string sent, string expected)
    {
        string seen = await ForwardedAsync($"{method} / HTTP/1.1\r\nHost: h\r\nMax-Forwards: {sent}\r\n\r\n");
        Assert.That(seen, Does.Contain($"\r\nMax-Forwards: {expected}\r\n"));
        Assert.That(seen.Split("Max-Forwards"), Has.Length.EqualTo(2), "one only");
    }

    [TestCase("GET", "0")]
    [TestCase("POST", "3")]
    public async Task OtherMethodsCarryItUnchanged(string method, string sent) =>
        Assert.That(await ForwardedAsync($"{method} / HTTP/1.1\r\nHost: h\r\nMax-Forwards: {sent}\r\nContent-Length: 0\r\n\r\n"), Does.Contain($"\r\nMax-Forwards: {sent}\r\n"));

    [TestCase("TRACE")]
    [TestCase("OPTIONS")]
    public async Task ItIsNeverMadeUp(string method) =>
        Assert.That(await ForwardedAsync($"{method} / HTTP/1.1\r\nHost: h\r\n\r\n"), Does.Not.Contain("Max-Forwards"));

    [Test]
    public async Task TraceAtZeroIsAnsweredHereWithoutSecrets()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("TRACE /a?b HTTP/1.1\r\nHost: h\r\nCookie: secret\r\nMax-Forwards: 0\r\nAUTHORIZATION: secret\r\nProxy-Authorization: secret\r\nX: y\r\n\r\n", Token);
        string got = await client.ReadResponseAsync(Token);
        Assert.That(got, Does.StartWith("HTTP/1.1 200 OK\r\n").And.Contains("\r\nContent-Type: message/http\r\n")
            .And.EndsWith("\r\n\r\nTRACE /a?b HTTP/1.1\r\nHost: h\r\nMax-Forwards: 0\r\nX: y\r\n\r\n"));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.Responded));
        Assert.That(origin.Connections, Is.Zero);
    }

    [TestCase("*")]
    [TestCase("/a")]
    public async Task OptionsAtZeroIsAnsweredHere(string target)
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync($"OPTIONS {target} HTTP/1.1\r\nHost: h\r\nMax-Forwards: 0\r\n\r\n", Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 200 OK\r\n").And.Contains("\r\nAllow: GET, ").And.Contains("\r\nContent-Length: 0\r\n"));
        Assert.That(origin.Connections, Is.Zero);
    }
}
