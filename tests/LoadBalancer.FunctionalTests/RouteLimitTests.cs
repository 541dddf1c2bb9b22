using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>What a route allows below its listener's limits: heads, and the time for a body.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(30_000)]
public sealed class RouteLimitTests(TransportKind transport) : FleetTests(transport)
{
    private Task<ProxyFixture> StartAsync(ScriptedOrigin origin, RouteConfig route)
    {
        ProxyConfig config = ProxyFixture.Config(Transport, origin.Address);
        return ProxyFixture.StartAsync(config with { Routes = new Dictionary<string, RouteConfig> { ["all"] = route with { Cluster = "app" } } }, Time);
    }

    [Test]
    public async Task AHeadBeyondTheRoutesLimitIs431AndTheConnectionGoesOn()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        await using ProxyFixture proxy = await StartAsync(origin, new() { RequestHeadBytesMax = 1024, RequestHeaderCountMax = 3 });
        using RawClient client = await proxy.ConnectAsync(Token);
        const string Start = "GET / HTTP/1.1\r\nHost: h\r\nX-Long: ";
        int room = 1024 - Start.Length - 4;
        foreach ((string request, string status) in new[]
        {
            ($"{Start}{new string('x', room)}\r\n\r\n", "200"), ($"{Start}{new string('x', room + 1)}\r\n\r\n", "431"),
            ("GET / HTTP/1.1\r\nHost: h\r\nA: 1\r\nB: 2\r\n\r\n", "200"), ("GET / HTTP/1.1\r\nHost: h\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n", "431"),
        })
        {
            await client.SendAsync(request, Token);
            Assert.That(await client.ReadResponseAsync(Token), Does.StartWith($"HTTP/1.1 {status} "));
            Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(status == "200" ? EndReason.Completed : EndReason.BadRequest));
        }
    }

    [Test]
    public async Task ABodyThatTakesTooLongInAllIs408()
    {
        var part = new SemaphoreSlim(0);
        await using var origin = new ScriptedOrigin(async (connection, _, token) =>
        {
            await connection.ReadUntilAsync("\r\n\r\n", token);
            while (true)
            {
                await connection.ReadAsync(1, token);
                part.Release();
            }
        });
        await using ProxyFixture proxy = await StartAsync(origin, new() { RequestBodyTimeout = TimeSpan.FromSeconds(10) });
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n", Token);
        // Never silent for as long as the listener allows, and never done.
        for (int i = 0; i < 9; i++)
        {
            await client.SendAsync("x", Token);
            await part.WaitAsync(Token);
            Time.Advance(TimeSpan.FromSeconds(1));
        }
        Assert.That(proxy.Completions.IsEmpty);
        Time.Advance(TimeSpan.FromSeconds(1.1));
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 408 "));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.RequestBodyTimeout));
    }
}
