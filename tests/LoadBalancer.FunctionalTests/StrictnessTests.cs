using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>Bytes in, status out, by rule: what is ambiguous is refused and the connection ends.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(20_000)]
public sealed class StrictnessTests(TransportKind transport)
{
    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SkipWhereUnsupported() => Transports.Require(transport);

    // RFC 9112 §6.1, §6.3: framing that two parsers could read differently
    [TestCase("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400)]
    [TestCase("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400)]
    [TestCase("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400)]
    [TestCase("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +3\r\n\r\nabc", 400)]
    [TestCase("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3, 3\r\n\r\nabc", 400)]
    [TestCase("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\nabc", 400)]
    [TestCase("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400)]
    [TestCase("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501)]
    [TestCase("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\n\r\n", 400)]
    [TestCase("POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400)]
    // RFC 9112 §2.2, §5.1, §5.2; RFC 9110 §5.5: line and field syntax
    [TestCase("GET / HTTP/1.1\nHost: h\n\n", 400)]
    [TestCase("GET / HTTP/1.1\r\nHost: h\rX: y\r\n\r\n", 400)]
    [TestCase("GET / HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n", 400)]
    [TestCase("GET / HTTP/1.1\r\nHost : h\r\n\r\n", 400)]
    [TestCase("GET / HTTP/1.1\r\nHost: h\r\n: x\r\n\r\n", 400)]
    [TestCase("GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n", 400)]
    [TestCase("GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400)]
    [TestCase("GET / HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n", 400)]
    // RFC 9112 §3: request line and target
    [TestCase("G{T / HTTP/1.1\r\nHost: h\r\n\r\n", 400)]
    [TestCase("GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400)]
    [TestCase("GET nothing HTTP/1.1\r\nHost: h\r\n\r\n", 400)]
    [TestCase("GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n", 400)]
    [TestCase("GET /%00 HTTP/1.1\r\nHost: h\r\n\r\n", 400)]
    [TestCase("GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n", 400)]
    [TestCase("GET * HTTP/1.1\r\nHost: h\r\n\r\n", 400)]
    [TestCase("GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505)]
    [TestCase("GET / HTTX/1.1\r\nHost: h\r\n\r\n", 400)]
    [TestCase("GET /\r\n\r\n", 400)]
    // RFC 9112 §3.2: Host
    [TestCase("GET / HTTP/1.1\r\n\r\n", 400)]
    [TestCase("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400)]
    [TestCase("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400)]
    [TestCase("GET http://u@h/ HTTP/1.1\r\nHost: h\r\n\r\n", 400)]
    // RFC 9110 §9.3.6, §9.3.8, §10.1.1
    [TestCase("CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n", 405)]
    [TestCase("TRACE / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx", 400)]
    [TestCase("GET / HTTP/1.1\r\nHost: h\r\nExpect: something\r\n\r\n", 417)]
    // RFC 9112 §7.1: chunks
    [TestCase("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400)]
    [TestCase("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n", 400)]
    [TestCase("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\r\n", 400)]
    [TestCase("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nbad trailer\r\n\r\n", 400)]
    public async Task AnAmbiguousRequestIsRefusedAndTheConnectionEnds(string request, int status)
    {
        await using var origin = new ScriptedOrigin(async (c, _, t) => await c.ReadToEndAsync(t));
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(request, Token);
        string response = await client.ReadToEndAsync(Token);
        Assert.That(response, Does.StartWith($"HTTP/1.1 {status} ").And.Contains("\r\nConnection: close\r\n"));
        Assert.That(response.Split("HTTP/1.1 "), Has.Length.EqualTo(2), "one answer only");
        Assert.That(client.End, Is.EqualTo(StreamEnd.Fin));
    }

    [Test]
    public async Task TooLongLinesAndHeadsHaveTheirStatus()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering("HTTP/1.1 204 No Content\r\n\r\n");
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        foreach ((string request, int status) in new[]
        {
            ($"GET /{new string('a', 9000)} HTTP/1.1\r\nHost: h\r\n\r\n", 414),
            ($"GET / HTTP/1.1\r\nHost: h\r\nX: {new string('a', 40_000)}\r\n\r\n", 431),
            ($"GET / HTTP/1.1\r\nHost: h\r\n{string.Concat(Enumerable.Range(0, 101).Select(i => $"X{i}: 1\r\n"))}\r\n", 431),
            ($"GET /{new string('a', 7000)} HTTP/1.1\r\nHost: h\r\nX: {new string('a', 20_000)}\r\n\r\n", 204),
        })
        {
            using RawClient client = await proxy.ConnectAsync(Token);
            await client.SendAsync(request, Token);
            Assert.That(await client.ReadResponseAsync(Token), Does.StartWith($"HTTP/1.1 {status} "));
        }
    }

    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx")]
    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n")]
    [TestCase("HTTP/1.1 200 OK\r\nX : y\r\nContent-Length: 0\r\n\r\n")]
    [TestCase("HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n")]
    [TestCase("HTTP/1.1 200 OK\nContent-Length: 0\n\n")]
    [TestCase("HTTP/1.1 99 Low\r\nContent-Length: 0\r\n\r\n")]
    [TestCase("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")]
    [TestCase("SSH-2.0-OpenSSH_9.2\r\n")]
    [TestCase("\0\u0001\u0002")]
    public async Task AMalformedResponseNeverReachesTheClient(string answer)
    {
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            await c.SendAsync(answer, t);
            await c.ReadToEndAsync(t);
        });
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 502 ").And.EndsWith("\r\n\r\n502 Bad Gateway\n"));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.BadResponse));
    }

    [Test]
    public async Task AnAbsoluteTargetOverridesHost()
    {
        string? head = null;
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            head = await c.ReadUntilAsync("\r\n\r\n", t);
            await c.SendAsync("HTTP/1.1 204 No Content\r\n\r\n", t);
            await c.ReadToEndAsync(t);
        });
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("GET http://real.example/x HTTP/1.1\r\nHost: other\r\n\r\n", Token);
        await client.ReadResponseAsync(Token);
        Assert.That(head, Does.StartWith("GET /x HTTP/1.1\r\nHost: real.example\r\n").And.Not.Contains("other"));
    }
}
