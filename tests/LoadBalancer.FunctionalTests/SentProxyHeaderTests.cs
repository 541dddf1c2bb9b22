using System.Net.Sockets;
using System.Threading.Channels;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.ProxyProtocol;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>Clusters whose destinations are told the client's address by a PROXY header.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(60_000)]
public sealed class SentProxyHeaderTests(TransportKind transport) : ExchangeTests(transport)
{
    private const string Get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

    [Test]
    public async Task TheHeaderComesFirstAndOnceForTheRequestsOfAClient([Values(ProxyProtocolVersion.V1, ProxyProtocolVersion.V2)] ProxyProtocolVersion version)
    {
        var origin = new HeaderOrigin();
        await using ScriptedOrigin server = origin.Server;
        await using ProxyFixture proxy = await StartAsync(server, Cluster(cluster => cluster with { ProxyProtocol = version }));
        using RawClient first = await proxy.ConnectAsync(Token), second = await proxy.ConnectAsync(Token);
        for (int i = 0; i < 3; i++)
        {
            foreach (RawClient client in new[] { first, second })
            {
                await client.SendAsync(Get, Token);
                Assert.That(await client.ReadResponseAsync(Token), Does.EndWith($"\r\n\r\n{client.LocalEndPoint} {proxy.EndPoint}"));
                Completion completion = await proxy.Completions.NextAsync(Token);
                Assert.That((completion.Reason, completion.Reused), Is.EqualTo((EndReason.Completed, i > 0)));
            }
        }
        Assert.That(server.Connections, Is.EqualTo(2));
    }

    [Test]
    public async Task TheConnectionsOfAClientAreClosedWhenItLeaves()
    {
        var origin = new HeaderOrigin();
        await using ScriptedOrigin server = origin.Server;
        await using ProxyFixture proxy = await StartAsync(server, Cluster(cluster => cluster with { ProxyProtocol = ProxyProtocolVersion.V2 }));
        using (RawClient client = await proxy.ConnectAsync(Token))
        {
            await client.SendAsync(Get, Token);
            await client.ReadResponseAsync(Token);
        }
        Assert.That(await origin.Ends.Reader.ReadAsync(Token), Is.EqualTo(StreamEnd.Fin));
    }

    [Test]
    public async Task WhatAHeaderToUsSaysIsPassedOn([Values(ProxyProtocolVersion.V1, ProxyProtocolVersion.V2)] ProxyProtocolVersion version)
    {
        var origin = new HeaderOrigin();
        await using ScriptedOrigin server = origin.Server;
        await using ProxyFixture proxy = await StartAsync(server, config => Listener(listener => listener with { ProxyProtocol = new() { TrustedPeers = ["127.0.0.1"] } })(
            Cluster(cluster => cluster with { ProxyProtocol = version })(config)));
        foreach ((string header, string expected) in new[]
        {
            ("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n", "192.0.2.1:56324 198.51.100.1:443"),
            ("PROXY TCP6 2001:db8::1 2001:db8::2 56324 443\r\n", "[2001:db8::1]:56324 [2001:db8::2]:443"),
        })
        {
            using RawClient client = await proxy.ConnectAsync(Token);
            await client.SendAsync(header + Get, Token);
            Assert.That(await client.ReadResponseAsync(Token), Does.EndWith($"\r\n\r\n{expected}"));
        }
    }

    [Test]
    public async Task AClientWithoutAnAddressIsUnknown([Values(ProxyProtocolVersion.V1, ProxyProtocolVersion.V2)] ProxyProtocolVersion version)
    {
        string folder = Directory.CreateTempSubdirectory("lb").FullName;
        try
        {
            var origin = new HeaderOrigin();
            await using ScriptedOrigin server = origin.Server;
            await using ProxyFixture proxy = await StartAsync(server,
                config => Listener(listener => listener with { Address = $"unix:{folder}/s" })(Cluster(cluster => cluster with { ProxyProtocol = version })(config)));
            using RawClient client = await RawClient.ConnectAsync(new UnixDomainSocketEndPoint($"{folder}/s"), Token);
            await client.SendAsync(Get, Token);
            Assert.That(await client.ReadResponseAsync(Token), Does.EndWith("\r\n\r\nunknown"));
            // Of a client, though nothing is known of it: no LOCAL.
            Assert.That(await origin.Headers.Reader.ReadAsync(Token), Is.EqualTo(version == ProxyProtocolVersion.V1 ? "PROXY UNKNOWN\r\n"u8.ToArray() : [.. "\r\n\r\n\0\r\nQUIT\n"u8, 0x21, 0, 0, 0]));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Test]
    public async Task ARetryOnAFreshConnectionHasTheHeaderToo()
    {
        var origin = new HeaderOrigin { RequestsPerConnection = 1 };
        await using ScriptedOrigin server = origin.Server;
        await using ProxyFixture proxy = await StartAsync(server, Cluster(cluster => cluster with { ProxyProtocol = ProxyProtocolVersion.V2 }));
        using RawClient client = await proxy.ConnectAsync(Token);
        for (int i = 0; i < 20; i++)
        {
            await client.SendAsync(Get, Token);
            Assert.That(await client.ReadResponseAsync(Token), Does.EndWith($"\r\n\r\n{client.LocalEndPoint} {proxy.EndPoint}"));
        }
    }

    // Clients that come and go, more of them than connections are kept, two destinations: no connection may ever serve another client.
    [Test]
    public async Task ManyClientsNeverShareAConnection()
    {
        HeaderOrigin first = new(), second = new() { RequestsPerConnection = 7 };
        await using ScriptedOrigin firstServer = first.Server, secondServer = second.Server;
        ProxyConfig config = ProxyFixture.Config(Transport, firstServer.Address, secondServer.Address);
        ClusterConfig cluster = config.Clusters["app"] with { ProxyProtocol = ProxyProtocolVersion.V1, Pool = new() { IdleConnectionsMax = 4 }, Balance = "random" };
        config = config with { Transport = config.Transport with { Loops = 2 }, Clusters = new Dictionary<string, ClusterConfig> { ["app"] = cluster } };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config);
        await Task.WhenAll(Enumerable.Range(0, 24).Select(async seed =>
        {
            var random = new Random(seed);
            for (int connection = 0; connection < 10; connection++)
            {
                using RawClient client = await proxy.ConnectAsync(Token);
                for (int request = random.Next(1, 12); request > 0; request--)
                {
                    int pipelined = random.Next(1, 3);
                    for (int i = 0; i < pipelined; i++) await client.SendAsync(Get, Token);
                    for (int i = 0; i < pipelined; i++)
                        Assert.That(await client.ReadResponseAsync(Token), Does.EndWith($"\r\n\r\n{client.LocalEndPoint} {proxy.EndPoint}"), $"seed {seed}");
                }
            }
        }));
    }

    [Test]
    public async Task AnIdleConnectionOfAnotherClientIsNoReasonToRefuseOne()
    {
        var origin = new HeaderOrigin();
        await using ScriptedOrigin server = origin.Server;
        await using ProxyFixture proxy = await StartAsync(server,
            Cluster(cluster => cluster with { ProxyProtocol = ProxyProtocolVersion.V2, Pool = new() { ConnectionsMax = 1 }, RetriesMax = 0 }));
        using RawClient first = await proxy.ConnectAsync(Token), second = await proxy.ConnectAsync(Token);
        foreach (RawClient client in new[] { first, second, first })
        {
            await client.SendAsync(Get, Token);
            Assert.That(await client.ReadResponseAsync(Token), Does.EndWith($"\r\n\r\n{client.LocalEndPoint} {proxy.EndPoint}"));
        }
        Assert.That(server.Connections, Is.EqualTo(3));
    }

    [Test]
    public async Task AMirroredRequestHasTheHeaderOfItsClient()
    {
        var shadow = new HeaderOrigin();
        await using ScriptedOrigin app = ScriptedOrigin.Answering(Ok), server = shadow.Server;
        ProxyConfig config = ProxyFixture.Config(Transport, app.Address);
        config = config with
        {
            Clusters = new Dictionary<string, ClusterConfig>
            {
                ["app"] = config.Clusters["app"],
                ["shadow"] = new() { ProxyProtocol = ProxyProtocolVersion.V2, Destinations = new Dictionary<string, DestinationConfig> { ["s"] = new() { Address = server.Address } } },
            },
            Routes = new Dictionary<string, RouteConfig> { ["all"] = new() { Cluster = "app", Mirror = new() { Cluster = "shadow" } } },
        };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config);
        for (int i = 0; i < 3; i++)
        {
            using RawClient client = await proxy.ConnectAsync(Token);
            await client.SendAsync(Get, Token);
            await client.ReadResponseAsync(Token);
            Assert.That(HeaderOrigin.Describe(await shadow.Headers.Reader.ReadAsync(Token)), Is.EqualTo($"{client.LocalEndPoint} {proxy.EndPoint}"));
        }
    }

    [Test]
    public async Task AHedgeHasTheHeaderOfItsClientAndItsConnectionIsKeptForIt()
    {
        var time = new FakeTimeProvider();
        var winner = new HeaderOrigin();
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var silent = new ScriptedOrigin(async (connection, _, token) =>
        {
            await connection.ReadUntilAsync("\r\n\r\n", token);
            arrived.TrySetResult();
            await connection.ReadToEndAsync(token);
        });
        await using ScriptedOrigin server = winner.Server;
        ProxyConfig config = Cluster(cluster => cluster with { ProxyProtocol = ProxyProtocolVersion.V1, Balance = "first", Hedge = new() { After = "200ms", PercentMax = 100 } })(
            ProxyFixture.Config(Transport, silent.Address, server.Address));
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config, time);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(Get, Token);
        await arrived.Task.WaitAsync(Token);
        await proxy.TurnAsync(Token); // the delay begins in the turn in which the request was sent
        time.Advance(TimeSpan.FromMilliseconds(250));
        Assert.That(await client.ReadResponseAsync(Token), Does.EndWith($"\r\n\r\n{client.LocalEndPoint} {proxy.EndPoint}"));
        proxy.Server.SetDraining("app", "d0", true); // the next request goes to the winner
        await client.SendAsync(Get, Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.EndWith($"\r\n\r\n{client.LocalEndPoint} {proxy.EndPoint}"));
        Assert.That(server.Connections, Is.EqualTo(1));
    }

    [Test]
    public async Task HealthChecksAreConnectionsOfTheBalancersOwn(
        [Values(ProxyProtocolVersion.V1, ProxyProtocolVersion.V2)] ProxyProtocolVersion version, [Values(HealthCheckKind.Http, HealthCheckKind.Tcp)] HealthCheckKind kind)
    {
        var origin = new HeaderOrigin();
        await using ScriptedOrigin server = origin.Server;
        await using ProxyFixture proxy = await StartAsync(server, Cluster(cluster => cluster with { ProxyProtocol = version, HealthCheck = new() { Kind = kind } }));
        byte[] header = await origin.Headers.Reader.ReadAsync(Token);
        Assert.That(header, Is.EqualTo(version == ProxyProtocolVersion.V1 ? "PROXY UNKNOWN\r\n"u8.ToArray() : [.. "\r\n\r\n\0\r\nQUIT\n"u8, 0x20, 0, 0, 0]));
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(Get, Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.EndWith($"\r\n\r\n{client.LocalEndPoint} {proxy.EndPoint}"));
    }

    [Test]
    public async Task LoadProbesAreConnectionsOfTheBalancersOwn()
    {
        var origin = new HeaderOrigin();
        await using ScriptedOrigin server = origin.Server;
        await using ProxyFixture proxy = await StartAsync(server, Cluster(cluster => cluster with { ProxyProtocol = ProxyProtocolVersion.V2, Balance = "prequal", Probe = new() }));
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(Get, Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.EndWith($"\r\n\r\n{client.LocalEndPoint} {proxy.EndPoint}"));
        byte[] header;
        do header = await origin.Headers.Reader.ReadAsync(Token);
        while (header[12] != 0x20);
        Assert.That(header, Has.Length.EqualTo(16));
    }

    private static Func<ProxyConfig, ProxyConfig> Cluster(Func<ClusterConfig, ClusterConfig> change) =>
        config => config with { Clusters = new Dictionary<string, ClusterConfig> { ["app"] = change(config.Clusters["app"]) } };

    /// <summary>A server that wants a PROXY header first, and answers every request with what that said.</summary>
    private sealed class HeaderOrigin
    {
        internal HeaderOrigin() => Server = new ScriptedOrigin(ServeAsync);

        internal ScriptedOrigin Server { get; }

        /// <summary>After so many it closes the connection, without having said so.</summary>
        internal int RequestsPerConnection { get; init; } = int.MaxValue;

        /// <summary>Every header as it came.</summary>
        internal Channel<byte[]> Headers { get; } = Channel.CreateUnbounded<byte[]>();

        /// <summary>How connections ended.</summary>
        internal Channel<StreamEnd> Ends { get; } = Channel.CreateUnbounded<StreamEnd>();

        internal static string Describe(byte[] bytes)
        {
            ProxyHeaderStatus status = ProxyHeader.Parse(bytes, out ProxyHeader header);
            Assert.That((status, header.Length), Is.EqualTo((ProxyHeaderStatus.Complete, bytes.Length)));
            return header.HasAddresses ? $"{header.Source} {header.Destination}" : "unknown";
        }

        private async Task ServeAsync(RawClient connection, int number, CancellationToken token)
        {
            string header = await connection.ReadAsync(15, token); // PROXY UNKNOWN
            if (header.StartsWith("PROXY ", StringComparison.Ordinal)) header += header[^1] == '\n' ? "" : await connection.ReadUntilAsync("\r\n", token);
            else
            {
                header += await connection.ReadAsync(1, token);
                header += await connection.ReadAsync((header[14] << 8) + header[15], token);
            }
            byte[] bytes = System.Text.Encoding.Latin1.GetBytes(header);
            Headers.Writer.TryWrite(bytes);
            string body = Describe(bytes);
            try
            {
                for (int i = 0; i < RequestsPerConnection; i++)
                {
                    Assert.That(await connection.ReadUntilAsync("\r\n\r\n", token), Does.StartWith("GET /").And.EndsWith("\r\n\r\n"));
                    await connection.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n\r\n{body}", token);
                }
            }
            finally
            {
                Ends.Writer.TryWrite(connection.End);
            }
        }
    }
}
