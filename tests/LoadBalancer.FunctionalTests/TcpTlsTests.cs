using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>TLS on TCP listeners: passed through by the name in the ClientHello, or terminated to plain TCP.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(60_000)]
public sealed class TcpTlsTests(TransportKind transport) : TcpFixtureTests(transport), IDisposable
{
    private readonly TestAuthority _authority = new();
    private readonly TestCertificate _certificate = new("one.test"), _other = new("a.two.test");

    public void Dispose()
    {
        _authority.Dispose();
        _certificate.Dispose();
        _other.Dispose();
    }

    // Clusters "one" and "two" by name, "app" (the config's own) for the rest where there is a default.
    private Task<ProxyFixture> StartSniAsync(string one, string two, string? rest, TimeProvider? time = null)
    {
        ProxyConfig config = TcpConfigOf(rest is null ? [] : [rest],
            tcp => tcp with { Cluster = rest is null ? null : "app", Sni = new Dictionary<string, string> { ["one.test"] = "one", ["*.Two.test"] = "two" } });
        static ClusterConfig To(string address) => new() { Destinations = new Dictionary<string, DestinationConfig> { ["d"] = new() { Address = address } } };
        return ProxyFixture.StartAsync(config with { Clusters = new Dictionary<string, ClusterConfig>(config.Clusters) { ["one"] = To(one), ["two"] = To(two) } }, time);
    }

    private static ScriptedOrigin Named(string name) => new(async (c, _, t) =>
    {
        await c.ReadAsync(1, t);
        await c.SendAsync(name, t);
        await c.ReadToEndAsync(t);
    });

    // The first bytes of a real client.
    private static async Task<byte[]> HelloAsync(string name)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        using var client = new TcpClient();
        await client.ConnectAsync((IPEndPoint)listener.LocalEndPoint!, Token);
        using Socket accepted = await listener.AcceptAsync(Token);
        using var tls = new SslStream(client.GetStream());
        Task hello = tls.AuthenticateAsClientAsync(TlsClientOptions.TrustingAnybody(name), Token);
        byte[] record = new byte[5 + 16384];
        for (int length = 0, wanted = 5; length < wanted; wanted = length < 5 ? 5 : 5 + (record[3] << 8 | record[4]))
            length += await accepted.ReceiveAsync(record.AsMemory(length, wanted - length), Token);
        client.Close();
        try
        {
            await hello;
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
        }
        return record[..(5 + (record[3] << 8 | record[4]))];
    }

    [Test]
    public async Task OpensslIsLedToItsServerByNameAndSeesItsCertificate()
    {
        string openssl = SystemProgram.Require("openssl");
        int one = SystemProgram.FreePort(), two = SystemProgram.FreePort();
        await using RunningProgram first = await StartServerAsync(openssl, one, _certificate);
        await using RunningProgram second = await StartServerAsync(openssl, two, _other);
        await using ProxyFixture proxy = await StartSniAsync($"127.0.0.1:{one}", $"127.0.0.1:{two}", null);
        foreach (string version in new[] { "-tls1_2", "-tls1_3" })
        {
            Assert.That(await OpenSslClient.AskAsync(openssl, proxy.EndPoint, Token, "-servername", "ONE.test", version), Does.Contain("CN = one.test").And.Contains("HTTP/1.0 200 ok"));
            Assert.That(await OpenSslClient.AskAsync(openssl, proxy.EndPoint, Token, "-servername", "a.two.test", version), Does.Contain("CN = a.two.test").And.Contains("HTTP/1.0 200 ok"));
        }
        Completion record = await proxy.Completions.NextAsync(Token);
        Assert.That((record.Reason, record.Destination), Is.EqualTo((EndReason.TunnelClosed, "d")));
        // Nothing for it: said as TLS says it.
        Assert.That(await OpenSslClient.AskAsync(openssl, proxy.EndPoint, Token, "-servername", "three.test"), Does.Contain("unrecognized name"));
    }

    private static Task<RunningProgram> StartServerAsync(string openssl, int port, TestCertificate certificate) =>
        SystemProgram.StartAsync(openssl, port, Token, "s_server", "-accept", $"{port}", "-cert", certificate.Certificate, "-key", certificate.Key, "-www", "-quiet");

    [TestCase("one.test", "1")]
    [TestCase("x.two.test", "2")]
    [TestCase("two.test", "-")]
    [TestCase("x.y.two.test", "-")]
    [TestCase("", "-")]
    public async Task AHelloInSingleBytesIsRoutedTheSame(string name, string expected)
    {
        byte[] hello = await HelloAsync(name);
        string? got = null;
        async Task SeeAsync(RawClient c, string who, CancellationToken t)
        {
            got = await c.ReadAsync(hello.Length, t);
            await c.SendAsync(who, t);
            await c.ReadToEndAsync(t);
        }
        await using var one = new ScriptedOrigin((c, _, t) => SeeAsync(c, "1", t));
        await using var two = new ScriptedOrigin((c, _, t) => SeeAsync(c, "2", t));
        await using var rest = new ScriptedOrigin((c, _, t) => SeeAsync(c, "-", t));
        await using ProxyFixture proxy = await StartSniAsync(one.Address, two.Address, rest.Address);
        using RawClient client = await proxy.ConnectAsync(Token);
        foreach (byte one1 in hello) await client.SendAsync(new[] { one1 }, Token);
        Assert.That(await client.ReadAsync(1, Token), Is.EqualTo(expected));
        Assert.That(got, Is.EqualTo(Encoding.Latin1.GetString(hello)), "passed on as it was");
    }

    [TestCase("GET / HTTP/1.1\r\n\r\n")]
    [TestCase("\u0016\u0003\u0001\0\u0004\u0002\0\0\0", Description = "a ServerHello")]
    [TestCase("\u0016\u0003\u0001\0\0", Description = "an empty record")]
    [TestCase("\0")]
    public async Task WhatIsNoHelloIsRefused(string bytes)
    {
        await using ScriptedOrigin origin = Named("1");
        await using ProxyFixture proxy = await StartSniAsync(origin.Address, origin.Address, origin.Address);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(bytes, Token);
        await client.ReadToEndAsync(Token);
        Assert.That(client.End, Is.EqualTo(StreamEnd.Reset));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.HandshakeFailed));
        Assert.That(origin.Connections, Is.Zero);
    }

    [TestCase("")]
    [TestCase("\u0016\u0003")]
    public async Task AHelloThatDoesNotComeIsNotWaitedForLong(string bytes)
    {
        var time = new FakeTimeProvider();
        await using ScriptedOrigin origin = Named("1");
        await using ProxyFixture proxy = await StartSniAsync(origin.Address, origin.Address, origin.Address, time);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(bytes, Token);
        await WaitForConnectionAsync(proxy);
        time.Advance(TimeSpan.FromSeconds(4.9));
        await proxy.TurnAsync(Token);
        Assert.That(proxy.Completions.IsEmpty);
        time.Advance(TimeSpan.FromSeconds(0.2));
        await client.ReadToEndAsync(Token);
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.HandshakeTimeout));
    }

    [Test]
    public async Task AClientThatEndsInItsHelloIsGone()
    {
        await using ScriptedOrigin origin = Named("1");
        await using ProxyFixture proxy = await StartSniAsync(origin.Address, origin.Address, origin.Address);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("\u0016\u0003", Token);
        client.HalfClose();
        await client.ReadToEndAsync(Token);
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.ClientAborted));
    }

    [Test]
    public async Task AStopDoesNotWaitForAHello()
    {
        await using ScriptedOrigin origin = Named("1");
        await using ProxyFixture proxy = await StartSniAsync(origin.Address, origin.Address, origin.Address);
        using RawClient silent = await proxy.ConnectAsync(Token);
        await WaitForConnectionAsync(proxy);
        await proxy.Server.StopAsync(Token);
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.Shutdown));
    }

    private Func<ListenerConfig, ListenerConfig> Terminating => listener => listener with { Tls = new() { Certificates = [new() { File = _certificate.Pem }] } };

    [Test]
    public async Task TerminatedTlsIsPlainForTheDestination()
    {
        await using var origin = new ScriptedOrigin(async (c, _, t) => await c.SendAsync($"got {await c.ReadToEndAsync(t)}", t));
        await using ProxyFixture proxy = await StartTcpAsync([origin.Address], listener: Terminating);
        using var client = new TcpClient();
        await client.ConnectAsync((IPEndPoint)proxy.EndPoint, Token);
        using var tls = new SslStream(client.GetStream());
        SslClientAuthenticationOptions options = TlsClientOptions.TrustingAnybody("one.test");
        options.ApplicationProtocols = [new SslApplicationProtocol("imap"), SslApplicationProtocol.Http2];
        await tls.AuthenticateAsClientAsync(options, Token);
        Assert.That(tls.NegotiatedApplicationProtocol, Is.EqualTo(default(SslApplicationProtocol)), "what is inside is nothing of ours");
        await tls.WriteAsync(new byte[100_000], Token);
        await tls.ShutdownAsync();
        using var reader = new StreamReader(tls, Encoding.Latin1);
        Assert.That(await reader.ReadToEndAsync(Token), Is.EqualTo("got " + new string('\0', 100_000)));
        Completion record = await proxy.Completions.NextAsync(Token);
        Assert.That((record.Reason, record.RequestBytes, record.ResponseBytes), Is.EqualTo((EndReason.TunnelClosed, 100_000, 100_004)));
    }

    // RFC 7301 §3.2: a server that finds nothing of its own in what is offered refuses.
    [Test]
    public async Task NoProtocolIsOfferedToADestinationThatSpeaksAnother()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.OverTls(_authority.Issue(["127.0.0.1"]), async (c, _, t) => await c.SendAsync($"got {await c.ReadAsync(5, t)}", t),
            options => options.ApplicationProtocols = [new("imap")]);
        await using ProxyFixture proxy = await StartTcpAsync([origin.Address],
            cluster: app => app with { Tls = new() { Ca = _authority.Root }, HealthCheck = new() { Kind = HealthCheckKind.Tcp, WaitForFirstProbe = true } });
        Assert.That(await proxy.Log.NextAsync(Token), Does.Contain("is healthy"));
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("query", Token);
        Assert.That(await client.ReadAsync(9, Token), Is.EqualTo("got query"));
    }

    [Test]
    public async Task OpensslSpeaksToAPlainServer()
    {
        string openssl = SystemProgram.Require("openssl");
        await using ScriptedOrigin origin = new(async (c, _, t) =>
        {
            string head = await c.ReadUntilAsync("\r\n\r\n", t);
            await c.SendAsync(head.Length.ToString(System.Globalization.CultureInfo.InvariantCulture) + " bytes came\n", t);
        });
        await using ProxyFixture proxy = await StartTcpAsync([origin.Address], listener: Terminating);
        string said = await OpenSslClient.AskAsync(openssl, proxy.EndPoint, Token, "-servername", "one.test", "-alpn", "h2,imap");
        Assert.That(said, Does.Contain(" bytes came").And.Contains("No ALPN negotiated"));
    }

    // RFC 8446 §6.1: whoever is between could have cut it.
    [Test]
    public async Task AnEndWithoutACloseNotifyIsAReset()
    {
        var got = new TaskCompletionSource<(string, StreamEnd)>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = new ScriptedOrigin(async (c, _, t) => got.SetResult((await c.ReadToEndAsync(t), c.End)));
        await using ProxyFixture proxy = await StartTcpAsync([origin.Address], listener: Terminating);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.StartTlsAsync("one.test", Token);
        await client.SendAsync("DELETE 1", Token);
        client.HalfClose();
        Assert.That((await got.Task.WaitAsync(Token)).Item2, Is.EqualTo(StreamEnd.Reset));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.ClientAborted));
    }

    [Test]
    public async Task PlainBytesWhereTlsIsTerminatedGetNoHttpAnswer()
    {
        await using ScriptedOrigin origin = Named("1");
        await using ProxyFixture proxy = await StartTcpAsync([origin.Address], listener: Terminating);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("EHLO\r\n", Token);
        Assert.That(await client.ReadToEndAsync(Token), Is.Empty);
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.HandshakeFailed));
    }
}
