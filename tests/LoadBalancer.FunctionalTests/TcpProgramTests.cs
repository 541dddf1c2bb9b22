using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>TCP listeners between other people's programs.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(60_000)]
public sealed class TcpProgramTests(TransportKind transport) : TcpFixtureTests(transport)
{
    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("lb").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    // curl, haproxy in mode tcp with a PROXY header, us, and nginx that reads ours.
    [TestCase("send-proxy", ProxyProtocolVersion.V2)]
    [TestCase("send-proxy-v2", ProxyProtocolVersion.V1)]
    public async Task NginxBehindUsIsToldWhoCameToHaproxyBeforeUs(string option, ProxyProtocolVersion version)
    {
        string curl = SystemProgram.Require("curl");
        int front = SystemProgram.FreePort(), back = SystemProgram.FreePort();
        await using RunningProgram server = await PeerServers.StartNginxAsync(_folder, back, $$"""
            server {
              listen 127.0.0.1:{{back}} proxy_protocol;
              location / { return 200 "$proxy_protocol_addr $http_host\n"; }
            }
            """, Token);
        await using ProxyFixture proxy = await StartTcpAsync([$"127.0.0.1:{back}"], cluster: c => c with { ProxyProtocol = version },
            listener: l => l with { ProxyProtocol = new() { TrustedPeers = ["127.0.0.1"] } });
        await using RunningProgram first = await PeerServers.StartHaproxyAsync(_folder, front, $"""
            listen in
              bind 127.0.0.1:{front}
              server lb {proxy.EndPoint} {option}
            """, Token);
        (int exitCode, string output) = await SystemProgram.RunAsync(curl, Token, "-sS", "--fail", "--interface", "127.0.0.66", "-H", "Host: h", $"http://127.0.0.1:{front}/", $"http://127.0.0.1:{front}/");
        Assert.That((exitCode, output), Is.EqualTo((0, "127.0.0.66 h\n127.0.0.66 h\n")));
    }

    [Test]
    public async Task ChecksByConnectTakeADestinationOutThatIsGone()
    {
        await using ScriptedOrigin origin = Echoing();
        await using ProxyFixture proxy = await StartTcpAsync(["127.0.0.1:1", origin.Address],
            cluster: c => c with { Balance = "first", HealthCheck = new() { Kind = HealthCheckKind.Tcp, Interval = TimeSpan.FromMilliseconds(100), WaitForFirstProbe = true } });
        while (!(await proxy.Log.NextAsync(Token)).Contains("d1 is healthy", StringComparison.Ordinal))
        {
        }
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("x", Token);
        await client.ReadAsync(1, Token);
        client.HalfClose();
        await client.ReadToEndAsync(Token);
        Completion record = await proxy.Completions.NextAsync(Token);
        Assert.That((record.Reason, record.Destination, record.Attempts), Is.EqualTo((EndReason.TunnelClosed, "d1", 1)));
    }
}
