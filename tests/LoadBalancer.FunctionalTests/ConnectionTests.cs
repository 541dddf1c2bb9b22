using System.Net;
using System.Net.Sockets;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(20_000)]
public sealed class ConnectionTests(TransportKind transport)
{
    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SkipWhereUnsupported() => Transports.Require(transport);

    [Test]
    public async Task EveryKindOfAnswerFollowsEveryOtherOnOneConnection()
    {
        await using var origin = new EchoOrigin();
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        using RawClient client = await proxy.ConnectAsync(Token);
        string[] requests =
        [
            "GET /bytes/0", "GET /bytes/1", "GET /bytes/100000", "HEAD /bytes/100000", "GET /chunked/0", "GET /chunked/5000", "HEAD /chunked/5000",
            "GET /close/0", "GET /close/70000", "HEAD /close/9", "GET /status/204", "GET /status/304", "GET /status/200", "GET /status/404", "POST /echo", "POST /chunked/3",
        ];
        int id = 0;
        foreach (string first in requests)
        {
            foreach (string second in requests)
            {
                await ExchangeAsync(first);
                await ExchangeAsync(second);
            }
        }
        Assert.That(client.End, Is.EqualTo(StreamEnd.Open));

        async Task ExchangeAsync(string request)
        {
            string body = request.StartsWith("POST", StringComparison.Ordinal) ? "some body" : "";
            await client.SendAsync($"{request} HTTP/1.1\r\nHost: h\r\nX-Id: {++id}\r\n{(body.Length > 0 ? $"Content-Length: {body.Length}\r\n" : "")}\r\n{body}", Token);
            bool isHead = request.StartsWith("HEAD", StringComparison.Ordinal);
            string response = await client.ReadResponseAsync(Token, headOnly: isHead);
            int end = response.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4;
            Assert.That(response[..end], Does.Contain($"\r\nX-Id: {id}\r\n"), request);
            string path = request.Split(' ')[1];
            int number = path == "/echo" ? 0 : int.Parse(path.Split('/')[2]);
            if (path.StartsWith("/status", StringComparison.Ordinal)) Assert.That(response, Does.StartWith($"HTTP/1.1 {number} "));
            string expected = path == "/echo" ? body : path.StartsWith("/status", StringComparison.Ordinal) || isHead ? "" : System.Text.Encoding.Latin1.GetString(EchoOrigin.Pattern(number));
            Assert.That(response[end..], Is.EqualTo(expected), request);
            if (isHead && path == "/bytes/100000") Assert.That(response, Does.Contain("\r\nContent-Length: 100000\r\n"));
        }
    }

    [Test]
    public async Task AnHttp10ClientIsKeptAliveOnlyWhenItAsks()
    {
        await using var origin = new EchoOrigin();
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        using RawClient keeping = await proxy.ConnectAsync(Token);
        for (int i = 0; i < 2; i++)
        {
            await keeping.SendAsync("GET /bytes/3 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", Token);
            Assert.That(await keeping.ReadResponseAsync(Token), Does.Contain("\r\nConnection: keep-alive\r\n"));
        }
        using RawClient closing = await proxy.ConnectAsync(Token);
        await closing.SendAsync("GET /bytes/3 HTTP/1.0\r\n\r\n", Token);
        Assert.That(await closing.ReadToEndAsync(Token), Does.StartWith("HTTP/1.1 200 "));
        Assert.That(closing.End, Is.EqualTo(StreamEnd.Fin));
    }

    [Test]
    public async Task AClientThatAsksToCloseGetsItsAnswerAndTheEnd()
    {
        await using var origin = new EchoOrigin();
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("GET /bytes/3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", Token);
        Assert.That(await client.ReadToEndAsync(Token), Does.Contain("\r\nConnection: close\r\n"));
        Assert.That(client.End, Is.EqualTo(StreamEnd.Fin));
    }

    [Test]
    public async Task AConnectionEndsAfterItsLastRequest()
    {
        await using var origin = new EchoOrigin();
        ProxyConfig config = ProxyFixture.Config(transport, origin.Address);
        config = config with { Listeners = new Dictionary<string, ListenerConfig> { ["main"] = config.Listeners["main"] with { Limits = new() { RequestsPerConnectionMax = 1 } } } };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("GET /bytes/3 HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        Assert.That(await client.ReadToEndAsync(Token), Does.StartWith("HTTP/1.1 200 ").And.Contains("\r\nConnection: close\r\n"));
    }

    [Test]
    public async Task IPv6WorksOnBothSides()
    {
        if (!Socket.OSSupportsIPv6) Assert.Ignore("this machine has no IPv6");
        await using var origin = new EchoOrigin(new IPEndPoint(IPAddress.IPv6Loopback, 0));
        ProxyConfig config = ProxyFixture.Config(transport, origin.Address);
        config = config with { Listeners = new Dictionary<string, ListenerConfig> { ["main"] = new() { Address = "[::1]:0" } } };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config);
        Assert.That(((IPEndPoint)proxy.EndPoint).Address, Is.EqualTo(IPAddress.IPv6Loopback));
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("GET /bytes/3 HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 200 "));
    }

    [Test]
    public async Task AWildcardAddressServesIPv4AndIPv6()
    {
        if (!Socket.OSSupportsIPv6) Assert.Ignore("this machine has no IPv6");
        string head = "";
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            while (true)
            {
                head = await c.ReadUntilAsync("\r\n\r\n", t);
                await c.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", t);
            }
        });
        ProxyConfig config = ProxyFixture.Config(transport, origin.Address);
        config = config with { Listeners = new Dictionary<string, ListenerConfig> { ["main"] = new() { Address = ":0" } } };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config);
        int port = ((IPEndPoint)proxy.EndPoint).Port;
        foreach ((IPAddress address, string seen) in new[] { (IPAddress.Loopback, "127.0.0.1"), (IPAddress.IPv6Loopback, "::1") })
        {
            using RawClient client = await RawClient.ConnectAsync(new IPEndPoint(address, port), Token);
            await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
            await client.ReadResponseAsync(Token);
            Assert.That(head, Does.Contain($"\r\nX-Forwarded-For: {seen}\r\n"));
        }
    }

    [Test]
    public async Task ConnectionsBeyondTheLimitAreClosedAndPlacesAreGivenBack()
    {
        await using var origin = new EchoOrigin();
        ProxyConfig config = ProxyFixture.Config(transport, origin.Address);
        config = config with { Listeners = new Dictionary<string, ListenerConfig> { ["main"] = config.Listeners["main"] with { ConnectionsMax = 2 } } };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config);
        using RawClient first = await proxy.ConnectAsync(Token);
        using RawClient second = await proxy.ConnectAsync(Token);
        Assert.That(await IsServedAsync(first) && await IsServedAsync(second));
        using (RawClient third = await proxy.ConnectAsync(Token)) Assert.That(await third.ReadToEndAsync(Token), Is.Empty);
        first.HalfClose();
        Assert.That(await first.ReadToEndAsync(Token), Is.Empty);
        // The place is free once the server has closed its socket too, which its end of stream comes just before.
        while (true)
        {
            using RawClient fourth = await proxy.ConnectAsync(Token);
            if (await IsServedAsync(fourth)) break;
        }
        Assert.That(await IsServedAsync(second));
    }

    private static async Task<bool> IsServedAsync(RawClient client)
    {
        try
        {
            await client.SendAsync("GET /bytes/3 HTTP/1.1\r\nHost: h\r\n\r\n", Token);
            return (await client.ReadResponseAsync(Token)).StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            return false;
        }
    }

    [Test]
    public async Task DrainingCutsWhatIsLeftAtItsLimit()
    {
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            arrived.TrySetResult();
            await c.ReadToEndAsync(t);
        });
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address) with { DrainTimeout = TimeSpan.FromMilliseconds(200) });
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        await arrived.Task.WaitAsync(Token);
        await proxy.Server.StopAsync(Token);
        Assert.That(await client.ReadToEndAsync(Token), Is.Empty);
        Assert.That(client.End, Is.EqualTo(StreamEnd.Reset));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(Core.AccessLog.EndReason.Shutdown));
    }

    [Test]
    public async Task AStoppedServerRefusesConnections()
    {
        await using var origin = new EchoOrigin();
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));
        EndPoint endPoint = proxy.EndPoint;
        await proxy.Server.StopAsync(Token);
        Assert.That(async () => await RawClient.ConnectAsync(endPoint, Token), Throws.InstanceOf<SocketException>());
    }
}
