using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>RFC 9110 §7.8 and §15.2.2: a protocol changes only to one that both ends have named.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(20_000)]
public sealed class UpgradeTests(TransportKind transport) : ExchangeTests(transport)
{
    private const string Upgrade = "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo, Other/2\r\n\r\n";

    [TestCase("h2c")]
    [TestCase("H2C , h2c")]
    public async Task H2cIsNotForwarded(string protocols)
    {
        string seen = await ForwardedAsync($"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: {protocols}\r\nHTTP2-Settings: AAMAAABk\r\n\r\n");
        Assert.That(seen, Does.Not.Contain("Upgrade").IgnoreCase.And.Not.Contains("HTTP2-Settings").IgnoreCase.And.Not.Contains("Connection"));
    }

    [Test]
    public async Task AnUpgradeFromHttp10IsIgnored() =>
        Assert.That(await ForwardedAsync("GET / HTTP/1.0\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"), Does.Not.Contain("Upgrade"));

    [Test]
    public async Task AnUpgradeThatConnectionDoesNotNameIsIgnored() =>
        Assert.That(await ForwardedAsync("GET / HTTP/1.1\r\nHost: h\r\nUpgrade: echo\r\n\r\n"), Does.Not.Contain("Upgrade"));

    [Test]
    public async Task AListOfManyProtocolsIsForwardedWhole()
    {
        string protocols = string.Join(',', Enumerable.Repeat("a", 14_000));
        string seen = await ForwardedAsync($"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: {protocols}\r\n\r\n");
        Assert.That(seen, Does.Contain($"\r\nConnection: Upgrade\r\nUpgrade: {protocols}\r\n"));
    }

    [TestCase("Connection: Upgrade\r\nUpgrade: echo", true)]
    [TestCase("Connection: upgrade\r\nUpgrade: ECHO", true)]
    [TestCase("Connection: upgrade\r\nUpgrade: other/2, echo", true)]
    [TestCase("Connection: Upgrade\r\nUpgrade: websocket", false)]
    [TestCase("Connection: Upgrade\r\nUpgrade: echo, websocket", false)]
    [TestCase("Connection: Upgrade\r\nUpgrade: h2c", false)]
    [TestCase("Connection: Upgrade", false)]
    [TestCase("Upgrade: echo", false)]
    [TestCase("Connection: close", false)]
    public async Task OnlyProtocolsThatWereAskedForAreSwitchedTo(string lines, bool expected)
    {
        string got = await AnsweredAsync(Upgrade, $"HTTP/1.1 101 Switching Protocols\r\n{lines}\r\n\r\n", closes: true);
        Assert.That(got, Does.StartWith(expected ? "HTTP/1.1 101 " : "HTTP/1.1 502 "));
    }

    [Test]
    public async Task H2cIsNotSwitchedToThoughTheClientAskedForIt()
    {
        string got = await AnsweredAsync("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: h2c, echo\r\n\r\n",
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", closes: true);
        Assert.That(got, Does.StartWith("HTTP/1.1 502 "));
    }

    [Test]
    public async Task ARefusedUpgradeIsAnAnswerLikeAnyOther()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin);
        using RawClient client = await proxy.ConnectAsync(Token);
        for (int i = 0; i < 2; i++)
        {
            await client.SendAsync(Upgrade, Token);
            Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 200 ").And.EndsWith("ok"));
        }
    }

    [Test]
    public async Task UpgradeRequiredNamesItsProtocols()
    {
        string got = await AnsweredAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 426 Upgrade Required\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n");
        Assert.That(got, Does.StartWith("HTTP/1.1 426 ").And.Contains("\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"));
    }

    [Test]
    public async Task ContinueComesBeforeTheSwitch()
    {
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            await c.SendAsync("HTTP/1.1 100 Continue\r\n\r\n", t);
            await c.ReadUntilAsync("body", t);
            await c.SendAsync("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n", t);
            await c.SendAsync("got " + await c.ReadToEndAsync(t), t);
        });
        await using ProxyFixture proxy = await StartAsync(origin);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n", Token);
        Assert.That(await client.ReadUntilAsync("\r\n\r\n", Token), Does.StartWith("HTTP/1.1 100 "));
        await client.SendAsync("body", Token);
        Assert.That(await client.ReadUntilAsync("\r\n\r\n", Token), Does.StartWith("HTTP/1.1 101 "));
        await client.SendAsync("hi", Token);
        client.HalfClose();
        Assert.That(await client.ReadToEndAsync(Token), Is.EqualTo("got hi"));
    }

    [Test]
    public async Task ASwitchBeforeTheWholeRequestWasSentLeavesTheBodyWhole()
    {
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            await c.SendAsync("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n", t);
            await c.SendAsync("got " + await c.ReadToEndAsync(t), t);
        });
        await using ProxyFixture proxy = await StartAsync(origin);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n", Token);
        Assert.That(await client.ReadUntilAsync("\r\n\r\n", Token), Does.StartWith("HTTP/1.1 101 "));
        await client.SendAsync("2;x=y\r\ndy\r\n0\r\n\r\n", Token); // still the request: its chunks are decoded
        await client.SendAsync("5;x=y\r\n", Token); // the new protocol: nobody looks into it
        client.HalfClose();
        Assert.That(await client.ReadToEndAsync(Token), Is.EqualTo("got 2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n5;x=y\r\n"));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.TunnelClosed));
    }

    [Test]
    public async Task ARequestThatBreaksOffAfterTheSwitchIsCutOnBothSides()
    {
        var end = new TaskCompletionSource<StreamEnd>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            await c.SendAsync("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n", t);
            await c.ReadToEndAsync(t);
            end.SetResult(c.End);
        });
        await using ProxyFixture proxy = await StartAsync(origin);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\nContent-Length: 9\r\n\r\npart", Token);
        await client.ReadUntilAsync("\r\n\r\n", Token);
        client.HalfClose();
        Assert.That(await end.Task.WaitAsync(Token), Is.EqualTo(StreamEnd.Reset));
        await client.ReadToEndAsync(Token);
        Assert.That(client.End, Is.EqualTo(StreamEnd.Reset));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.ClientAborted));
    }
}
