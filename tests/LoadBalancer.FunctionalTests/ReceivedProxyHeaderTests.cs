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

/// <summary>Listeners behind proxies that send PROXY headers.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(30_000)]
public sealed class ReceivedProxyHeaderTests(TransportKind transport) : ExchangeTests(transport)
{
    private const string Get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    private const string Version1 = "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n";
    private const string Version2 = "\r\n\r\n\0\r\nQUIT\n\u0021\u0011\0\u000c\u00c0\0\u0002\u0001\u00c6\u0033\u0064\u0001\u00dc\u0004\u0001\u00bb";
    private const string Local = "\r\n\r\n\0\r\nQUIT\n\u0020\0\0\0";

    private static readonly ProxyProtocolConfig FromUs = new() { TrustedPeers = ["127.0.0.0/8"] };

    [TestCase(Version1)]
    [TestCase(Version2)]
    public async Task TheClientIsTheOneInTheHeader(string header)
    {
        await using ScriptedOrigin origin = ScriptedOrigin.AnsweringWithHead();
        await using ProxyFixture proxy = await StartAsync(origin, With(FromUs));
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(header + Get, Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.Contain("X-Forwarded-For: 192.0.2.1\r\n"));
        await client.SendAsync(Get, Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.Contain("X-Forwarded-For: 192.0.2.1\r\n"));
        for (int i = 0; i < 2; i++) Assert.That((await proxy.Completions.NextAsync(Token)).Client, Is.EqualTo("192.0.2.1:56324"));
    }

    [TestCase(Version1)]
    [TestCase(Version2)]
    public async Task TheHeaderMayComeByteByByte(string header)
    {
        await using ScriptedOrigin origin = ScriptedOrigin.AnsweringWithHead();
        await using ProxyFixture proxy = await StartAsync(origin, With(FromUs));
        using RawClient client = await proxy.ConnectAsync(Token);
        foreach (char c in header + Get)
        {
            await client.SendAsync(c.ToString(), Token);
            await proxy.TurnAsync(Token);
        }
        Assert.That(await client.ReadResponseAsync(Token), Does.Contain("X-Forwarded-For: 192.0.2.1\r\n"));
    }

    [TestCase("PROXY UNKNOWN ffff::1 ::1 1 2\r\n")]
    [TestCase(Local)]
    public async Task AHeaderWithoutAClientLeavesThePeers(string header)
    {
        await using ScriptedOrigin origin = ScriptedOrigin.AnsweringWithHead();
        await using ProxyFixture proxy = await StartAsync(origin, With(FromUs));
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(header + Get, Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.Contain("X-Forwarded-For: 127.0.0.1\r\n"));
    }

    // The balancer before us is trusted for its header, not for what its clients say of themselves; a trusted one among those is.
    [TestCase("127.0.0.1", "X-Forwarded-For: 192.0.2.1\r\n")]
    [TestCase("192.0.2.0/24", "X-Forwarded-For: 203.0.113.9, 192.0.2.1\r\n")]
    public async Task ClaimsAreBelievedOfTheClientInTheHeader(string trusted, string expected)
    {
        await using ScriptedOrigin origin = ScriptedOrigin.AnsweringWithHead();
        await using ProxyFixture proxy = await StartAsync(origin, Listener(listener => listener with { ProxyProtocol = FromUs, TrustedProxies = [trusted] }));
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(Version1 + "GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n", Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.Contain(expected));
    }

    [Test]
    public async Task TheHeaderComesBeforeTheHandshakeEvenInOneSegment()
    {
        using var certificate = new TestCertificate("first.test");
        await using ScriptedOrigin origin = ScriptedOrigin.AnsweringWithHead();
        await using ProxyFixture proxy = await StartAsync(origin,
            Listener(listener => listener with { ProxyProtocol = FromUs, Tls = new() { Certificates = [new() { File = certificate.Pem }] } }));
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync((IPEndPoint)proxy.EndPoint, Token);
        var held = new HoldingStream(new NetworkStream(socket, ownsSocket: true));
        held.Hold();
        await held.WriteAsync(Encoding.Latin1.GetBytes(Version2), Token);
        using var client = new SslStream(held);
        Task handshake = client.AuthenticateAsClientAsync(TlsClientOptions.TrustingAnybody("first.test"), Token);
        held.Release();
        await held.PassAsync(int.MaxValue); // header and ClientHello at once
        await handshake;
        await client.WriteAsync(Encoding.Latin1.GetBytes(Get), Token);
        using var reader = new StreamReader(client, Encoding.Latin1, leaveOpen: true);
        var lines = new List<string>();
        while (await reader.ReadLineAsync(Token) is { } line && !line.StartsWith("X-Forwarded-Host", StringComparison.Ordinal)) lines.Add(line);
        Assert.That(lines, Does.Contain("X-Forwarded-For: 192.0.2.1").And.Contains("X-Forwarded-Proto: https"));
    }

    [TestCase("PROXY TCP4 192.0.2.1 198.51.100.1 56324 65536\r\n" + Get, EndReason.BadProxyHeader)]
    [TestCase("PROXY TCP4 192.0.2.01 198.51.100.1 56324 443\r\n" + Get, EndReason.BadProxyHeader)]
    [TestCase("PROXY TCP4 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", EndReason.BadProxyHeader)]
    [TestCase("\r\n\r\n\0\r\nQUIT\n\u0011\u0011\0\u000c", EndReason.BadProxyHeader)]
    [TestCase("\r\n\r\n\0\r\nQUIT\n\u0021\u0011\u00ff\u00ff", EndReason.BadProxyHeader)]
    [TestCase(Get, EndReason.ProxyHeaderMissing)]
    [TestCase("\u0016\u0003\u0001\0\u0005hello", EndReason.ProxyHeaderMissing)]
    public async Task WhatIsNoHeaderEndsTheConnectionWithItsReason(string bytes, EndReason reason)
    {
        await using ScriptedOrigin origin = ScriptedOrigin.AnsweringWithHead();
        await using ProxyFixture proxy = await StartAsync(origin, With(FromUs));
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(bytes, Token);
        Assert.That(await client.ReadToEndAsync(Token), Is.Empty);
        Completion completion = await proxy.Completions.NextAsync(Token);
        Assert.That((completion.Reason, completion.Client.Split(':')[0]), Is.EqualTo((reason, "127.0.0.1")));
        Assert.That(origin.Connections, Is.Zero);
    }

    [TestCase("")]
    [TestCase("PROXY TCP4 192.0")]
    [TestCase("\r\n\r\n\0\r\nQUIT\n\u0021\u0011\0")]
    public async Task AClientThatLeavesInItsHeaderIsNoted(string begun)
    {
        await using ScriptedOrigin origin = ScriptedOrigin.AnsweringWithHead();
        await using ProxyFixture proxy = await StartAsync(origin, With(FromUs));
        using (RawClient client = await proxy.ConnectAsync(Token)) await client.SendAsync(begun, Token);
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.ClientAborted));
    }

    [TestCase("")]
    [TestCase("PROXY TCP4 192.0")]
    [TestCase("\r\n\r\n\0\r\nQUIT\n\u0021\u0011\0")]
    public Task AHeaderThatTakesTooLongIsCut(string begun) =>
        AssertIsCutAfterThreeSecondsAsync(With(FromUs with { Timeout = TimeSpan.FromSeconds(3) }), begun, EndReason.ProxyHeaderTimeout);

    [Test]
    public async Task AfterItsHeaderAConnectionMayBeIdle()
    {
        var time = new FakeTimeProvider();
        await using ScriptedOrigin origin = ScriptedOrigin.AnsweringWithHead();
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(With(FromUs)(ProxyFixture.Config(Transport, origin.Address)), time);
        using RawClient client = await proxy.ConnectAsync(Token);
        while (proxy.Server.Contexts[0].ConnectionCount == 0) await proxy.TurnAsync(Token);
        await client.SendAsync(Version1 + "G", Token); // the first byte of the request shows that the header is read
        while (proxy.Server.Contexts[0].Loop.Slabs.Leased == 0) await proxy.TurnAsync(Token);
        await proxy.TurnAsync(Token);
        time.Advance(TimeSpan.FromSeconds(6)); // beyond the time for the header
        await proxy.TurnAsync(Token);
        await client.SendAsync(Get[1..], Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.Contain("X-Forwarded-For: 192.0.2.1\r\n"));
    }

    [Test]
    public async Task OfAnUntrustedPeerNothingIsRead()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.AnsweringWithHead();
        await using ProxyFixture proxy = await StartAsync(origin, With(new() { TrustedPeers = ["192.0.2.0/24"] }));
        try
        {
            using RawClient client = await proxy.ConnectAsync(Token);
            await client.SendAsync(Version1 + Get, Token);
            Assert.That(await client.ReadToEndAsync(Token), Is.Empty);
        }
        catch (SocketException)
        {
            // Reset so soon that it is the connect, or the send, that fails.
        }
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.ProxyHeaderUntrusted));
        Assert.That(origin.Connections, Is.Zero);
    }

    [TestCase(ProxyProtocolMode.FromTrusted)]
    [TestCase(ProxyProtocolMode.Optional)]
    public async Task AnUntrustedPeerIsServedAsItselfWhereThatIsAllowed(ProxyProtocolMode mode)
    {
        await using ScriptedOrigin origin = ScriptedOrigin.AnsweringWithHead();
        await using ProxyFixture proxy = await StartAsync(origin, With(new() { TrustedPeers = ["192.0.2.0/24"], Mode = mode }));
        using (RawClient client = await proxy.ConnectAsync(Token))
        {
            await client.SendAsync(Get, Token);
            Assert.That(await client.ReadResponseAsync(Token), Does.Contain("X-Forwarded-For: 127.0.0.1\r\n"));
        }
        using RawClient forger = await proxy.ConnectAsync(Token);
        await forger.SendAsync(Version1 + Get, Token);
        Assert.That(await forger.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 400 "), "its header is a request that is none");
    }

    [TestCase(ProxyProtocolMode.FromTrusted, EndReason.ProxyHeaderMissing)]
    [TestCase(ProxyProtocolMode.Optional, EndReason.Completed)]
    public async Task ATrustedPeerMayLeaveItOutOnlyWhereItIsOptional(ProxyProtocolMode mode, EndReason reason)
    {
        await using ScriptedOrigin origin = ScriptedOrigin.AnsweringWithHead();
        await using ProxyFixture proxy = await StartAsync(origin, With(FromUs with { Mode = mode }));
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("P", Token); // may become either
        await proxy.TurnAsync(Token);
        await client.SendAsync("UT / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", Token);
        Assert.That(await client.ReadToEndAsync(Token), reason == EndReason.Completed ? Does.Contain("X-Forwarded-For: 127.0.0.1\r\n") : Is.Empty);
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(reason));
        using RawClient other = await proxy.ConnectAsync(Token);
        await other.SendAsync(Version1 + Get, Token);
        Assert.That(await other.ReadResponseAsync(Token), Does.Contain("X-Forwarded-For: 192.0.2.1\r\n"));
    }

    [Test]
    public async Task WhoMayConnectToAUnixSocketIsTrusted()
    {
        string folder = Directory.CreateTempSubdirectory("lb").FullName;
        try
        {
            await using ScriptedOrigin origin = ScriptedOrigin.AnsweringWithHead();
            await using ProxyFixture proxy = await StartAsync(origin, Listener(listener => listener with { Address = $"unix:{folder}/s", ProxyProtocol = new() }));
            using RawClient client = await RawClient.ConnectAsync(new UnixDomainSocketEndPoint($"{folder}/s"), Token);
            await client.SendAsync(Version2 + Get, Token);
            Assert.That(await client.ReadResponseAsync(Token), Does.Contain("X-Forwarded-For: 192.0.2.1\r\n"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Test]
    public Task AStopDoesNotWaitForHeaders() => AssertAStopDoesNotWaitAsync(With(FromUs));

    [Test]
    public async Task TheHashOfTheAddressIsThatOfTheClientInTheHeader()
    {
        await using ScriptedOrigin first = ScriptedOrigin.Answering("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na"), second = ScriptedOrigin.Answering("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb");
        ProxyConfig config = With(FromUs)(ProxyFixture.Config(Transport, first.Address, second.Address));
        config = config with { Clusters = new Dictionary<string, ClusterConfig> { ["app"] = config.Clusters["app"] with { Balance = "rendezvous", HashOn = "ip" } } };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config);
        var answers = new List<char>();
        for (int i = 0; i < 40; i++)
        {
            string both = "";
            for (int again = 0; again < 2; again++)
            {
                using RawClient client = await proxy.ConnectAsync(Token);
                await client.SendAsync($"PROXY TCP4 192.0.2.{i} 198.51.100.1 {1000 + again} 443\r\n{Get}", Token);
                both += (await client.ReadResponseAsync(Token))[^1];
            }
            Assert.That(both[0], Is.EqualTo(both[1]), "one client, one destination");
            answers.Add(both[0]);
        }
        Assert.That(answers, Does.Contain('a').And.Contains('b'));
    }

    private static Func<ProxyConfig, ProxyConfig> With(ProxyProtocolConfig proxyProtocol) => Listener(listener => listener with { ProxyProtocol = proxyProtocol });
}
