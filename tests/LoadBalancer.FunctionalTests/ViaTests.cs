using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>RFC 9110 §7.6.3, and what keeps a loop finite (§7.6).</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(20_000)]
public sealed class ViaTests(TransportKind transport) : ExchangeTests(transport)
{
    [Test]
    public async Task ViaIsAppendedAfterThoseOfOthers()
    {
        string seen = await ForwardedAsync("GET / HTTP/1.1\r\nHost: h\r\nVia: 1.0 fred, 1.1 p.example\r\nX: y\r\nVia: 1.1 third\r\n\r\n");
        Assert.That(seen, Does.Contain("\r\nVia: 1.0 fred, 1.1 p.example\r\nX: y\r\nVia: 1.1 third\r\n").And.EndsWith("\r\nVia: 1.1 lb\r\n\r\n"));
        string got = await AnsweredAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 204 No Content\r\nVia: 1.1 inner\r\n\r\n");
        Assert.That(got, Does.Contain("\r\nVia: 1.1 inner\r\n").And.EndsWith("\r\nVia: 1.1 lb\r\n\r\n"));
    }

    [Test]
    public async Task ItNamesTheVersionThatWasReceived()
    {
        Assert.That(await ForwardedAsync("GET / HTTP/1.0\r\nHost: h\r\n\r\n"), Does.EndWith("\r\nVia: 1.0 lb\r\n\r\n"));
        Assert.That(await AnsweredAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.0 204 No Content\r\n\r\n"), Does.EndWith("\r\nVia: 1.0 lb\r\n\r\n"));
    }

    [TestCase("edge-1", "\r\nVia: 1.1 edge-1\r\n\r\n")]
    [TestCase("", "\r\nX-Forwarded-Host: h\r\n\r\n")]
    public async Task ThePseudonymIsConfigured(string pseudonym, string expected) =>
        Assert.That(await ForwardedAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", configure: Listener(l => l with { Forwarded = new() { Via = pseudonym } })), Does.EndWith(expected));

    // Every pass adds a Via line; the limit on fields ends the loop.
    [Test]
    public async Task ARequestThatComesBackToUsEndsAtTheLimitOfFields()
    {
        string path = Directory.CreateTempSubdirectory("lb").FullName + "/front";
        await using ScriptedOrigin unused = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(unused, config => config with
        {
            Listeners = new Dictionary<string, ListenerConfig> { ["main"] = new() { Address = $"unix:{path}" } },
            Clusters = new Dictionary<string, ClusterConfig> { ["app"] = new() { Destinations = new Dictionary<string, DestinationConfig> { ["self"] = new() { Address = $"unix:{path}" } } } },
        });
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 431 "));
    }
}
