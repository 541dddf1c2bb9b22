using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>PROXY headers from and to other people's programs.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(60_000)]
public sealed class ProxyProtocolProgramTests(TransportKind transport) : ExchangeTests(transport)
{
    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("lb").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [TestCase("send-proxy")]
    [TestCase("send-proxy-v2")]
    [TestCase("send-proxy-v2 proxy-v2-options crc32c,unique-id")]
    public async Task HaproxyTellsUsTheClient(string options)
    {
        await using ScriptedOrigin origin = ScriptedOrigin.AnsweringWithHead();
        await using ProxyFixture proxy = await StartAsync(origin, Listener(listener => listener with { ProxyProtocol = new() { TrustedPeers = ["127.0.0.1"] } }));
        int port = SystemProgram.FreePort();
        await using RunningProgram server = await PeerServers.StartHaproxyAsync(_folder, port, $$"""
            listen in
              bind 127.0.0.1:{{port}}
              unique-id-format %[uuid()]
              server lb {{proxy.EndPoint}} {{options}}
            """, Token);
        await AssertClientIsToldAsync(port, "X-Forwarded-For: 127.0.0.66\r\n");
    }

    [Test]
    public async Task HaproxysHealthChecksPass()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.AnsweringWithHead();
        await using ProxyFixture proxy = await StartAsync(origin, Listener(listener => listener with { ProxyProtocol = new() { TrustedPeers = ["127.0.0.1"] } }));
        int port = SystemProgram.FreePort();
        await using RunningProgram server = await PeerServers.StartHaproxyAsync(_folder, port, $$"""
            listen in
              mode http
              bind 127.0.0.1:{{port}}
              option httpchk GET /check
              server lb {{proxy.EndPoint}} send-proxy-v2 check inter 100ms fall 1
            """, Token);
        Completion check;
        do check = await proxy.Completions.NextAsync(Token);
        while (check.Target.Length == 0); // haproxy's port was asked whether it accepts
        Assert.That((check.Target, check.Status, check.Client.Split(':')[0]), Is.EqualTo(("/check", 200, "127.0.0.1")));
    }

    [TestCase(ProxyProtocolVersion.V1)]
    [TestCase(ProxyProtocolVersion.V2)]
    public async Task HaproxyIsToldTheClient(ProxyProtocolVersion version)
    {
        int port = SystemProgram.FreePort();
        await using RunningProgram server = await PeerServers.StartHaproxyAsync(_folder, port, $$"""
            listen app
              mode http
              bind 127.0.0.1:{{port}} accept-proxy
              http-request return status 200 content-type text/plain lf-string "%[src]:%[src_port] %[dst]:%[dst_port]\n"
            """, Token);
        await AssertOriginIsToldAsync(port, version);
    }

    [TestCase(ProxyProtocolVersion.V1)]
    [TestCase(ProxyProtocolVersion.V2)]
    public async Task NginxIsToldTheClient(ProxyProtocolVersion version)
    {
        int port = SystemProgram.FreePort();
        await using RunningProgram server = await PeerServers.StartNginxAsync(_folder, port, $$"""
            server {
              listen 127.0.0.1:{{port}} proxy_protocol;
              location / { return 200 "$proxy_protocol_addr:$proxy_protocol_port $proxy_protocol_server_addr:$proxy_protocol_server_port\n"; }
            }
            """, Token);
        await AssertOriginIsToldAsync(port, version);
    }

    [Test]
    public async Task CurlsHeaderIsRead()
    {
        string curl = SystemProgram.Require("curl");
        await using ScriptedOrigin origin = ScriptedOrigin.AnsweringWithHead();
        await using ProxyFixture proxy = await StartAsync(origin, Listener(listener => listener with { ProxyProtocol = new() { TrustedPeers = ["127.0.0.0/8"] } }));
        (int exitCode, string output) = await SystemProgram.RunAsync(curl, Token, "-sS", "--interface", "127.0.0.66", "--haproxy-protocol", $"http://{proxy.EndPoint}/");
        Assert.That(exitCode, Is.Zero, output);
        Assert.That(output, Does.Contain("X-Forwarded-For: 127.0.0.66\r\n"));
    }

    // Also for the second request on a connection, and for another client after that.
    private async Task AssertOriginIsToldAsync(int port, ProxyProtocolVersion version)
    {
        string curl = SystemProgram.Require("curl");
        ProxyConfig config = ProxyFixture.Config(Transport, $"127.0.0.1:{port}");
        config = config with { Clusters = new Dictionary<string, ClusterConfig> { ["app"] = config.Clusters["app"] with { ProxyProtocol = version, HealthCheck = new() } } };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config);
        foreach (string address in new[] { "127.0.0.66", "127.0.0.67" })
        {
            (int exitCode, string output) = await SystemProgram.RunAsync(curl, Token, "-sS", "--fail", "--interface", address, "-w", "%{local_port}\n",
                $"http://{proxy.EndPoint}/", $"http://{proxy.EndPoint}/");
            Assert.That(exitCode, Is.Zero, output);
            string[] lines = output.TrimEnd().Split('\n');
            string line = $"{address}:{lines[1]} {proxy.EndPoint}";
            Assert.That(lines, Is.EqualTo(new[] { line, lines[1], line, lines[1] }));
        }
    }

    private async Task AssertClientIsToldAsync(int port, string expected)
    {
        string curl = SystemProgram.Require("curl");
        (int exitCode, string output) = await SystemProgram.RunAsync(curl, Token, "-sS", "--fail", "--interface", "127.0.0.66", $"http://127.0.0.1:{port}/");
        Assert.That(exitCode, Is.Zero, output);
        Assert.That(output, Does.Contain(expected));
    }
}
