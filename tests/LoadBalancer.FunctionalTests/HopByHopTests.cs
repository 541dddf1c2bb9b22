using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>RFC 9110 §7.6.1: what is meant for one connection does not reach the next.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(20_000)]
public sealed class HopByHopTests(TransportKind transport) : ExchangeTests(transport)
{
    private const string Get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

    [Test]
    public async Task RequestFieldsNamedByConnectionAreNotForwarded()
    {
        string seen = await ForwardedAsync("GET / HTTP/1.1\r\nHost: h\r\nX-One: 1\r\nConnection: ,x-ONE,, close\r\nKept: 1\r\nX-Two: 2\r\nConnection: x-two , x-absent\r\nx-one: 3\r\n\r\n");
        Assert.That(seen, Does.Contain("\r\nKept: 1\r\n").And.Not.Contains("X-One").IgnoreCase.And.Not.Contains("X-Two").And.Not.Contains("Connection"));
    }

    [Test]
    public async Task ResponseFieldsNamedByConnectionAreNotForwarded()
    {
        string got = await AnsweredAsync(Get, "HTTP/1.1 200 OK\r\nX-One: 1\r\nConnection: x-one\r\nKept: 1\r\nContent-Length: 2\r\n\r\nok");
        Assert.That(got, Does.Contain("\r\nKept: 1\r\n").And.Not.Contains("X-One").IgnoreCase.And.Not.Contains("\r\nConnection"));
    }

    [Test]
    public async Task HopByHopRequestFieldsAreNotForwardedWithoutBeingNamed()
    {
        string seen = await ForwardedAsync("GET / HTTP/1.1\r\nHost: h\r\nKeep-Alive: timeout=5\r\nProxy-Connection: close\r\nTE: trailers\r\nUpgrade: websocket\r\n"
            + "Proxy-Authorization: Basic eA==\r\nHTTP2-Settings: AAMAAABk\r\nConnection: keep-alive\r\n\r\n");
        Assert.That(seen, Is.EqualTo("GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: h\r\nVia: 1.1 lb\r\n\r\n"));
    }

    [Test]
    public async Task HopByHopResponseFieldsAreNotForwardedWithoutBeingNamed()
    {
        string got = await AnsweredAsync(Get, "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5\r\nProxy-Connection: close\r\nProxy-Authenticate: Basic\r\nUpgrade: websocket\r\n"
            + "Date: now\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
        Assert.That(got, Is.EqualTo("HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 2\r\nVia: 1.1 lb\r\n\r\nok"));
    }

    // Removing these at a client's wish would change the framing, the route or what the destination believes of the client.
    [TestCase("Host: h")]
    [TestCase("Content-Length: 2")]
    [TestCase("Authorization: Basic eA==")]
    [TestCase("Cookie: a=b")]
    [TestCase("Content-Type: text/plain")]
    [TestCase("X-Forwarded-For: 127.0.0.1")]
    [TestCase("Via: 1.1 lb")]
    public async Task AConnectionOptionNeverRemovesWhatIsMeantForTheFinalRecipient(string line)
    {
        string name = line[..line.IndexOf(':', StringComparison.Ordinal)];
        string seen = await ForwardedAsync("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nAuthorization: Basic eA==\r\nCookie: a=b\r\nContent-Type: text/plain\r\n"
            + $"Connection: {name}\r\n\r\nhi", "hi");
        Assert.That(seen, Does.Contain($"\r\n{line}\r\n").And.EndsWith("\r\n\r\nhi").And.Not.Contains("Connection:"));
    }

    [Test]
    public async Task AConnectionOptionNeverRemovesTheChunkedFraming()
    {
        string seen = await ForwardedAsync("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: transfer-encoding\r\n\r\n2\r\nhi\r\n0\r\n\r\n", "0\r\n\r\n");
        Assert.That(seen, Does.Contain("\r\nTransfer-Encoding: chunked\r\n").And.EndsWith("\r\n\r\n2\r\nhi\r\n0\r\n\r\n"));
    }

    [Test]
    public async Task RequestTrailersNamedByConnectionAreNotForwarded()
    {
        string seen = await ForwardedAsync("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: x-hop, x-other\r\n\r\n0\r\nX-Hop: 1\r\nX-End: 2\r\n\r\n", "0\r\nX-End: 2\r\n\r\n");
        Assert.That(seen, Does.EndWith("\r\n\r\n0\r\nX-End: 2\r\n\r\n"));
    }

    [Test]
    public async Task ResponseTrailersNamedByConnectionAreNotForwarded()
    {
        var sent = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            await c.SendAsync("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: x-hop\r\n\r\n2\r\nok\r\n", t);
            await sent.Task.WaitAsync(t); // the head is gone from the buffer when the trailers come
            await c.SendAsync("0\r\nX-Hop: 1\r\nX-End: 2\r\n\r\n", t);
            await c.ReadToEndAsync(t);
        });
        await using ProxyFixture proxy = await StartAsync(origin);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(Get, Token);
        await client.ReadUntilAsync("2\r\nok\r\n", Token);
        sent.SetResult();
        Assert.That(await client.ReadUntilAsync("\r\n\r\n", Token), Is.EqualTo("0\r\nX-End: 2\r\n\r\n"));
    }

    [TestCase("Connection: TE\r\nTE: trailers", "TE: trailers\r\nConnection: TE\r\n")]
    [TestCase("Connection: TE, Upgrade\r\nTE: gzip;q=0.5, trailers\r\nUpgrade: x", "TE: trailers\r\nConnection: TE, Upgrade\r\nUpgrade: x\r\n")]
    public async Task TeIsOurOwnAndNamedByConnection(string lines, string expected) =>
        Assert.That(await ForwardedAsync($"GET / HTTP/1.1\r\nHost: h\r\n{lines}\r\n\r\n"), Does.Contain("\r\n" + expected));

    [TestCase("TE: trailers")]
    [TestCase("Connection: TE\r\nTE: gzip")]
    public async Task OtherTransferCodingsAreNeverAskedFor(string lines) =>
        Assert.That(await ForwardedAsync($"GET / HTTP/1.1\r\nHost: h\r\n{lines}\r\n\r\n"), Does.Not.Contain("TE:").And.Not.Contains("Connection:"));
}
