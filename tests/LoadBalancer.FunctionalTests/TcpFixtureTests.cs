using System.Net.Sockets;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>What fixtures of TCP listeners share.</summary>
public abstract class TcpFixtureTests(TransportKind transport) : ExchangeTests(transport)
{
    /// <summary>A balancer whose listener forwards to the addresses.</summary>
    protected Task<ProxyFixture> StartTcpAsync(
        string[] destinations, Func<TcpConfig, TcpConfig>? configure = null, Func<ClusterConfig, ClusterConfig>? cluster = null, Func<ListenerConfig, ListenerConfig>? listener = null,
        TimeProvider? time = null)
    {
        ProxyConfig config = TcpConfigOf(destinations, configure, listener);
        return ProxyFixture.StartAsync(cluster is null ? config : config with { Clusters = new Dictionary<string, ClusterConfig> { ["app"] = cluster(config.Clusters["app"]) } }, time);
    }

    protected ProxyConfig TcpConfigOf(string[] destinations, Func<TcpConfig, TcpConfig>? configure = null, Func<ListenerConfig, ListenerConfig>? listener = null)
    {
        var tcp = new TcpConfig { Cluster = "app" };
        ProxyConfig config = Listener(one => (listener ?? (same => same))(one with { Tcp = configure is null ? tcp : configure(tcp) }))(ProxyFixture.Config(Transport, destinations));
        return config with { Routes = new Dictionary<string, RouteConfig>() };
    }

    /// <summary>Sends back what it is sent, until the end, then ends itself.</summary>
    protected static ScriptedOrigin Echoing() => new(async (c, _, t) =>
    {
        while (true) await c.SendAsync(await c.ReadAsync(1, t), t);
    });

    /// <summary>The balancer resets a connection that it was just sent; so early that the client may see it in the middle of its connect.</summary>
    protected static async Task AssertIsResetAsync(ProxyFixture proxy)
    {
        try
        {
            using RawClient client = await proxy.ConnectAsync(Token);
            await client.ReadToEndAsync(Token);
            Assert.That(client.End, Is.EqualTo(StreamEnd.Reset));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
        }
    }

    protected static async Task WaitForConnectionAsync(ProxyFixture proxy, int count = 1)
    {
        while (proxy.Server.Contexts[0].ConnectionCount != count) await proxy.TurnAsync(Token);
    }
}
