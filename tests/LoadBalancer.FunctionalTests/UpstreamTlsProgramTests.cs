using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>TLS to other people's servers.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(60_000)]
public sealed class UpstreamTlsProgramTests(TransportKind transport) : ExchangeTests(transport), IDisposable
{
    private readonly TestAuthority _authority = new();
    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("lb").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    public void Dispose() => _authority.Dispose();

    [TestCase("TLSv1.2")]
    [TestCase("TLSv1.3")]
    public async Task NginxKeepsTheConnection(string protocol)
    {
        int port = SystemProgram.FreePort();
        await using RunningProgram nginx = await StartNginxAsync(port, $"ssl_protocols {protocol};");
        await using ProxyFixture proxy = await StartAsync(new() { Ca = _authority.Root }, $"a.test:{port}");
        for (int i = 1; i <= 3; i++) Assert.That(await AskAsync(proxy), Does.EndWith($"{protocol} a.test . NONE {i}\n"));
    }

    // The portable path keeps no sessions: see docs/tls.md.
    [TestCase("TLSv1.2")]
    [TestCase("TLSv1.3")]
    public async Task ANewConnectionResumesTheSession(string protocol)
    {
        int port = SystemProgram.FreePort();
        await using RunningProgram nginx = await StartNginxAsync(port, $"ssl_protocols {protocol}; keepalive_timeout 0;");
        await using ProxyFixture proxy = await StartAsync(new() { Ca = _authority.Root }, $"a.test:{port}");
        string again = Transport == TransportKind.Epoll ? "r" : ".";
        foreach (string resumed in new[] { ".", again, again }) Assert.That(await AskAsync(proxy), Does.EndWith($"{protocol} a.test {resumed} NONE 1\n"));
    }

    // OpenSSL verifies nothing when a session is resumed, and each resumed connection brings new tickets: without an end of its own that could go on for ever.
    [TestCase("TLSv1.2")]
    [TestCase("TLSv1.3")]
    public async Task ACertificateIsVerifiedAgainAfterADay(string protocol)
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        int port = SystemProgram.FreePort();
        await using RunningProgram nginx = await StartNginxAsync(port, $"ssl_protocols {protocol}; keepalive_timeout 0;");
        await using ProxyFixture proxy = await StartAsync(new() { Ca = _authority.Root }, $"a.test:{port}", time);
        foreach (string resumed in new[] { ".", "r", ".", "r" })
        {
            Assert.That(await AskAsync(proxy), Does.EndWith($"{protocol} a.test {(Transport == TransportKind.Epoll ? resumed : ".")} NONE 1\n")); // the portable path keeps none
            time.Advance(TimeSpan.FromHours(13)); // what was resumed does not begin a day of its own
        }
    }

    [Test]
    public async Task NginxSeesOurCertificate()
    {
        int port = SystemProgram.FreePort();
        await using RunningProgram nginx = await StartNginxAsync(port, $"ssl_verify_client on; ssl_client_certificate {_authority.Root};");
        var shown = new CertificateConfig { File = _authority.IssueFile(["balancer"], forClients: true) };
        await using ProxyFixture proxy = await StartAsync(new() { Ca = _authority.Root, Certificate = shown }, $"a.test:{port}");
        Assert.That(await AskAsync(proxy), Does.StartWith("HTTP/1.1 200 ").And.EndWith(" a.test . SUCCESS 1\n"));
        await using ProxyFixture without = await StartAsync(new() { Ca = _authority.Root }, $"a.test:{port}");
        Assert.That(await AskAsync(without), Does.StartWith("HTTP/1.1 400 ").And.Contain("No required SSL certificate was sent"), "nginx answers so itself");
    }

    [TestCase("-tls1_3", true)]
    [TestCase("-tls1_2", true)]
    [TestCase("-tls1_2", false, Description = "its own certificate is not looked at, so it is not what is wrong")]
    public async Task AServerThatMissesOurCertificateRefusesUs(string protocol, bool verify)
    {
        string openssl = SystemProgram.Require("openssl");
        string[] options = ["-Verify", "1", "-verify_return_error", "-CAfile", _authority.Root, "-www"];
        await using OpenSslServer server = await OpenSslServer.StartAsync(openssl, Token, ["-cert", _authority.IssueFile(["a.test"]), protocol, .. options]);
        await using ProxyFixture proxy = await StartAsync(verify ? new() { Ca = _authority.Root } : new() { Verify = false }, $"a.test:{server.Port}");
        Assert.That(await AskAsync(proxy), Does.StartWith("HTTP/1.1 502 "));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.UpstreamTlsFailed));
        if (!verify) await proxy.Log.NextAsync(Token); // says so
        Assert.That(await proxy.Log.NextAsync(Token), Does.StartWith("cluster app: no TLS connection to destination d0: ").And.Contains("alert"));
    }

    [Test]
    public async Task AServerThatSpeaksOldProtocolsOnlyIsRefused()
    {
        string openssl = SystemProgram.Require("openssl");
        await using OpenSslServer server = await OpenSslServer.StartAsync(openssl, Token, "-cert", _authority.IssueFile(["a.test"]), "-tls1_1", "-cipher", "ALL:@SECLEVEL=0", "-www");
        await using ProxyFixture proxy = await StartAsync(new() { Ca = _authority.Root }, $"a.test:{server.Port}");
        Assert.That(await AskAsync(proxy), Does.StartWith("HTTP/1.1 502 "));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.UpstreamTlsFailed));
    }

    // RFC 8446 §4.6: tickets come after the hand-shake, key updates at any time.
    [TestCase("k")]
    [TestCase("K", Description = "and asks for ours")]
    public async Task WhatTlsSaysToItselfLeavesAnIdleConnectionUsable(string command)
    {
        string openssl = SystemProgram.Require("openssl");
        await using OpenSslServer server = await OpenSslServer.StartAsync(openssl, Token, "-cert", _authority.IssueFile(["a.test"]), "-tls1_3");
        await using ProxyFixture proxy = await StartAsync(new() { Ca = _authority.Root }, $"a.test:{server.Port}");
        for (int i = 0; i < 3; i++)
        {
            Task<string> answer = AskAsync(proxy, $"/{i}");
            await server.SaysAsync($"GET /{i} ", Token);
            await server.SayAsync(Ok, Token);
            Assert.That(await answer, Does.EndWith("ok"));
            Completion completion = await proxy.Completions.NextAsync(Token);
            Assert.That((completion.Reason, completion.Reused), Is.EqualTo((EndReason.Completed, i > 0)));
            await server.SayAsync($"{command}\n", Token);
            await server.SaysAsync("SSL_do_handshake -> 1", Token, times: i + 1);
        }
    }

    private Task<RunningProgram> StartNginxAsync(int port, string directives)
    {
        string certificate = _authority.IssueFile(["a.test"]);
        return PeerServers.StartNginxAsync(_folder, port, $$"""
            ssl_session_cache shared:sessions:1m;
            server {
              listen 127.0.0.1:{{port}} ssl;
              ssl_certificate {{certificate}};
              ssl_certificate_key {{certificate}};
              {{directives}}
              location / { return 200 "$ssl_protocol $ssl_server_name $ssl_session_reused $ssl_client_verify $connection_requests\n"; }
            }
            """, Token);
    }

    private static async Task<string> AskAsync(ProxyFixture proxy, string path = "/")
    {
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync($"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        return await client.ReadResponseAsync(Token);
    }

    private Task<ProxyFixture> StartAsync(UpstreamTlsConfig tls, string destination, TimeProvider? time = null)
    {
        ProxyConfig config = ProxyFixture.Config(Transport, destination);
        return ProxyFixture.StartAsync(
            config with { Clusters = new Dictionary<string, ClusterConfig> { ["app"] = config.Clusters["app"] with { Tls = tls, RetriesMax = 0 } } }, time, names: new LoopbackNames());
    }
}
