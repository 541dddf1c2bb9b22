using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using LoadBalancer.Core;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>Listeners that terminate TLS.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(30_000)]
public sealed class TlsTests(TransportKind transport) : ExchangeTests(transport), IDisposable
{
    private const string Get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    private readonly TestCertificate _certificate = new("first.test", "*.wild.test"), _other = new("other.test");

    public void Dispose()
    {
        _certificate.Dispose();
        _other.Dispose();
    }

    [Test]
    public async Task AFirstMessageThatIsNoHelloIsAFailedHandshakeAndCounted()
    {
        using TestCertificate certificate = new("a.test");
        ListenerConfig listener = new() { Address = "127.0.0.1:0", Tls = new() { Certificates = [new() { File = certificate.Pem }] } };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(Transport, "127.0.0.1:1") with { Listeners = new Dictionary<string, ListenerConfig> { ["main"] = listener } });
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("\u0016\u0003\u0001\u0000\u0005hello", Token);
        await client.ReadToEndAsync(Token);
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.HandshakeFailed));
        ListenerTraffic traffic = proxy.Server.DescribeTraffic().Listeners.Single();
        Assert.That((traffic.FullHandshakes, traffic.FailedHandshakes), Is.EqualTo((0, 1)));
    }

    [Test]
    public async Task RequestsOnAKeptConnectionAreForwardedAndToldToBeSecure()
    {
        var heads = new List<string>();
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            while (true)
            {
                heads.Add(await c.ReadUntilAsync("\r\n\r\n", t));
                await c.SendAsync(Ok, t);
            }
        });
        await using ProxyFixture proxy = await StartAsync(origin, Tls(new() { Certificates = [new() { File = _certificate.Pem }] }));
        using SslStream client = await ConnectAsync(proxy, "first.test");
        Assert.That(client.NegotiatedApplicationProtocol, Is.EqualTo(SslApplicationProtocol.Http11));
        for (int i = 0; i < 3; i++) Assert.That(await AskAsync(client), Does.StartWith("HTTP/1.1 200 "));
        Assert.That(heads, Has.Count.EqualTo(3).And.All.Contains("X-Forwarded-Proto: https\r\n"));
    }

    [TestCase("first.test", true)]
    [TestCase("a.wild.test", true)]
    [TestCase("A.WILD.test", true)]
    [TestCase("other.test", false)]
    [TestCase("a.b.wild.test", true, Description = "unknown: the first")]
    [TestCase("", true, Description = "no name: the first")]
    public async Task TheCertificateIsTheOneForTheNameAskedFor(string name, bool isFirst)
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, Tls(new() { Certificates = [new() { File = _certificate.Pem }, new() { File = _other.Pem }] }));
        using SslStream client = await ConnectAsync(proxy, name);
        Assert.That(((X509Certificate2)client.RemoteCertificate!).Thumbprint, Is.EqualTo((isFirst ? _certificate : _other).Thumbprint));
        Assert.That(await AskAsync(client), Does.StartWith("HTTP/1.1 200 "));
    }

    [Test]
    public async Task KeysMayBeApartOrEncryptedOrInPkcs12()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        CertificateConfig[] forms =
        [
            new() { File = _other.Certificate, Key = _other.Key },
            new() { File = _other.Certificate, Key = _other.EncryptedKey, Password = TestCertificate.Password },
            new() { File = _other.Pfx, Password = TestCertificate.Password },
        ];
        foreach (CertificateConfig form in forms)
        {
            await using ProxyFixture proxy = await StartAsync(origin, Tls(new() { Certificates = [form] }));
            using SslStream client = await ConnectAsync(proxy, "other.test");
            Assert.That(await AskAsync(client), Does.StartWith("HTTP/1.1 200 "));
        }
    }

    [Test]
    public async Task LongBodiesArriveWholeBothWays()
    {
        const int Length = 5_000_000;
        byte[] up = RandomNumberGenerator.GetBytes(Length), down = RandomNumberGenerator.GetBytes(Length);
        string? received = null;
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            received = await c.ReadAsync(Length, t);
            await c.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {Length}\r\n\r\n", t);
            await c.SendAsync(down, t);
            await c.ReadToEndAsync(t);
        });
        await using ProxyFixture proxy = await StartAsync(origin, Tls(new() { Certificates = [new() { File = _certificate.Pem }] }));
        using SslStream client = await ConnectAsync(proxy, "first.test");
        await SendAsync(client, $"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: {Length}\r\n\r\n");
        await client.WriteAsync(up, Token);
        Assert.That(await HeadAsync(client), Does.StartWith("HTTP/1.1 200 "));
        byte[] answer = new byte[Length];
        await client.ReadExactlyAsync(answer, Token);
        Assert.That(answer.AsSpan().SequenceEqual(down) && received == Encoding.Latin1.GetString(up), Is.True);
    }

    [Test]
    public async Task ARequestThatComesByteByByteIsAnswered()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, Tls(new() { Certificates = [new() { File = _certificate.Pem }] }));
        using SslStream client = await ConnectAsync(proxy, "first.test");
        foreach (char c in Get) await SendAsync(client, c.ToString()); // a record each
        Assert.That(await HeadAsync(client), Does.StartWith("HTTP/1.1 200 "));
    }

    [Test]
    public async Task TheEndIsAnnouncedInsideTheEncryption()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, Tls(new() { Certificates = [new() { File = _certificate.Pem }] }));
        using SslStream client = await ConnectAsync(proxy, "first.test");
        await SendAsync(client, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        var answer = new MemoryStream();
        await client.CopyToAsync(answer, Token); // ends with close_notify and FIN, not with a reset
        Assert.That(Encoding.Latin1.GetString(answer.ToArray()), Does.EndWith("ok"));
    }

    [Test]
    public async Task AnUpgradedConnectionIsATunnel()
    {
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            await c.SendAsync("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n", t);
            await c.SendAsync(await c.ReadAsync(4, t), t);
            await c.ReadToEndAsync(t);
        });
        await using ProxyFixture proxy = await StartAsync(origin, Tls(new() { Certificates = [new() { File = _certificate.Pem }] }));
        using SslStream client = await ConnectAsync(proxy, "first.test");
        await SendAsync(client, "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
        Assert.That(await HeadAsync(client), Does.StartWith("HTTP/1.1 101 "));
        await SendAsync(client, "ping");
        byte[] echo = new byte[4];
        await client.ReadExactlyAsync(echo, Token);
        Assert.That(echo, Is.EqualTo("ping"u8.ToArray()));
    }

    [TestCase(SslProtocols.Tls12)]
    [TestCase(SslProtocols.Tls13)]
    public async Task AClientThatHasClosedItsDirectionIsAnswered(SslProtocols protocol)
    {
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            await c.SendAsync("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n", t);
            await c.SendAsync($"got {await c.ReadToEndAsync(t)}", t);
        });
        await using ProxyFixture proxy = await StartAsync(origin, Tls(new() { Certificates = [new() { File = _certificate.Pem }] }));
        HoldingStream? held = null;
        using SslStream client = await ConnectAsync(proxy, "first.test", protocol, below => held = new HoldingStream(below));
        await SendAsync(client, "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
        Assert.That(await HeadAsync(client), Does.StartWith("HTTP/1.1 101 "));
        held!.Hold();
        await SendAsync(client, "all");
        await client.ShutdownAsync();
        await held.PassAsync(int.MaxValue); // the last bytes and the close_notify in one segment
        var rest = new MemoryStream();
        await client.CopyToAsync(rest, Token);
        Assert.That(Encoding.Latin1.GetString(rest.ToArray()), Is.EqualTo("got all"));
    }

    [TestCase(SslProtocols.Tls12)]
    [TestCase(SslProtocols.Tls13)]
    public async Task ATunnelIsClosedOneDirectionAfterTheOther(SslProtocols protocol)
    {
        var last = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            await c.SendAsync("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nbye", t);
            c.HalfClose();
            last.SetResult(await c.ReadToEndAsync(t));
        });
        await using ProxyFixture proxy = await StartAsync(origin, Tls(new() { Certificates = [new() { File = _certificate.Pem }] }));
        using SslStream client = await ConnectAsync(proxy, "first.test", protocol);
        await SendAsync(client, "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
        Assert.That(await HeadAsync(client), Does.StartWith("HTTP/1.1 101 "));
        var rest = new MemoryStream();
        await client.CopyToAsync(rest, Token);
        Assert.That(Encoding.Latin1.GetString(rest.ToArray()), Is.EqualTo("bye"));
        await SendAsync(client, "so long");
        await client.ShutdownAsync(); // a close_notify, without the end of the connection
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.TunnelClosed));
        Assert.That(await last.Task.WaitAsync(Token), Is.EqualTo("so long"));
    }

    [Test]
    public async Task PlainHttpIsAnsweredInPlain()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, Tls(new() { Certificates = [new() { File = _certificate.Pem }] }));
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(Get, Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 400 ").And.Contains("https://"));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.PlainHttp));
        Assert.That(proxy.Server.DescribeTraffic().Listeners.Single().FailedHandshakes, Is.EqualTo(1));
    }

    [TestCase("\u0016\u0003\u0001\u0000\u0005garbage that is no client hello")]
    [TestCase("\u0000\u0001\u0002\u0003")]
    public async Task GarbageEndsTheHandshake(string bytes)
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, Tls(new() { Certificates = [new() { File = _certificate.Pem }] }));
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(bytes, Token);
        await client.ReadToEndAsync(Token);
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.HandshakeFailed));
    }

    [Test]
    public async Task AClientThatLeavesInTheHandshakeIsNoted()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, Tls(new() { Certificates = [new() { File = _certificate.Pem }] }));
        using (RawClient client = await proxy.ConnectAsync(Token)) await client.SendAsync("\u0016\u0003\u0001\u0001", Token);
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.ClientAborted));
    }

    [TestCase("")]
    [TestCase("\u0016\u0003\u0001")]
    public Task AHandshakeThatTakesTooLongIsCut(string begun) => AssertIsCutAfterThreeSecondsAsync(
        Tls(new() { Certificates = [new() { File = _certificate.Pem }], HandshakeTimeout = TimeSpan.FromSeconds(3) }), begun, EndReason.HandshakeTimeout);

    [Test]
    public async Task HandshakesBeyondTheLimitAreRefusedWhileOthersAreServed()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, Tls(new() { Certificates = [new() { File = _certificate.Pem }], HandshakesMax = 2 }));
        using SslStream established = await ConnectAsync(proxy, "first.test");
        await AskAsync(established); // the hand-shake is over for the server too
        await proxy.Completions.NextAsync(Token);
        using RawClient one = await proxy.ConnectAsync(Token), two = await proxy.ConnectAsync(Token), refused = await proxy.ConnectAsync(Token);
        await one.SendAsync("\u0016", Token);
        await two.SendAsync("\u0016", Token);
        while (proxy.Server.Snapshot.Listeners[0].Tls!.Handshakes < 2) await proxy.TurnAsync(Token);
        await refused.SendAsync("\u0016", Token);
        await refused.ReadToEndAsync(Token);
        Assert.That(refused.End, Is.EqualTo(StreamEnd.Reset));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.HandshakeRefused));
        Assert.That(await AskAsync(established), Does.StartWith("HTTP/1.1 200 "));
    }

    [Test]
    public async Task WhoSaysNothingTakesNoPlaceFromWhoSpeaks()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, Tls(new() { Certificates = [new() { File = _certificate.Pem }], HandshakesMax = 2 }));
        using RawClient one = await proxy.ConnectAsync(Token), two = await proxy.ConnectAsync(Token);
        while (proxy.Server.Contexts[0].ConnectionCount < 2) await proxy.TurnAsync(Token);
        using SslStream speaking = await ConnectAsync(proxy, "first.test");
        Assert.That(await AskAsync(speaking), Does.StartWith("HTTP/1.1 200 "));
        while (proxy.Server.Contexts[0].Loop.Slabs.Leased > 0) await proxy.TurnAsync(Token); // none of them holds a buffer, now or soon
    }

    [Test]
    public async Task TheRestOfARecordThatComesAfterTheWaitForItWasGivenUpIsThrownAway()
    {
        var time = new FakeTimeProvider();
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        ProxyConfig config = Tls(new() { Certificates = [new() { File = _certificate.Pem }] })(ProxyFixture.Config(Transport, origin.Address));
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config, time);
        HoldingStream? held = null;
        using SslStream client = await ConnectAsync(proxy, "first.test", over: below => held = new HoldingStream(below));
        await SendAsync(client, "GET / HTTP/1.1\r\nHo");
        while (proxy.Server.Contexts[0].Loop.Slabs.Leased == 0) await proxy.TurnAsync(Token); // read, apart from what follows
        await proxy.TurnAsync(Token);
        held!.Hold();
        await SendAsync(client, "st: h\r\n\r\n");
        await held.PassAsync(8); // the server's stream of records waits for the rest, with a buffer to decrypt it into
        await proxy.TurnAsync(Token);
        Task<Completion> recorded = proxy.Completions.NextAsync(Token);
        while (!recorded.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(0.1)); // not so far that nothing is read and thrown away any more
            await proxy.TurnAsync(Token);
        }
        Assert.That(await HeadAsync(client), Does.StartWith("HTTP/1.1 408 "));
        await held.PassAsync(int.MaxValue);
        await client.CopyToAsync(Stream.Null, Token);
        client.Close();
        while (proxy.Server.Contexts[0].ConnectionCount > 0) await proxy.TurnAsync(Token);
        // Disposing asserts that nothing was logged, and that no buffer is left or was given back twice.
    }

    [TestCase(TlsPolicy.Intermediate, SslProtocols.Tls12, true)]
    [TestCase(TlsPolicy.Intermediate, SslProtocols.Tls13, true)]
    [TestCase(TlsPolicy.Modern, SslProtocols.Tls13, true)]
    [TestCase(TlsPolicy.Modern, SslProtocols.Tls12, false)]
    public async Task ThePolicyDecidesAboutProtocols(TlsPolicy policy, SslProtocols protocol, bool isAllowed)
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, Tls(new() { Certificates = [new() { File = _certificate.Pem }], Policy = policy }));
        if (isAllowed)
        {
            using SslStream client = await ConnectAsync(proxy, "first.test", protocol);
            Assert.That(client.SslProtocol, Is.EqualTo(protocol));
            Assert.That(await AskAsync(client), Does.StartWith("HTTP/1.1 200 "));
            return;
        }
        Assert.That(async () => (await ConnectAsync(proxy, "first.test", protocol)).Dispose(), Throws.InstanceOf<AuthenticationException>().Or.InstanceOf<IOException>());
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.HandshakeFailed));
    }

    [Test]
    public Task AStopDoesNotWaitForHandshakes() => AssertAStopDoesNotWaitAsync(Tls(new() { Certificates = [new() { File = _certificate.Pem }] }));

    [Test]
    public void ACertificateThatCannotBeUsedIsAProblemOfTheConfiguration()
    {
        ConfigException e = Assert.Throws<ConfigException>(() => _ = new Core.ProxyServer(
            Tls(new() { Certificates = [new() { File = "/nowhere.pem" }, new() { File = _certificate.Certificate }] })(ProxyFixture.Config(Transport, "127.0.0.1:1")),
            Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance))!;
        Assert.That(e.Problems.Select(problem => problem.Path), Is.EqualTo(new[] { "listeners.main.tls.certificates[0].file", "listeners.main.tls.certificates[1].file" }));
        Assert.That(e.Problems[0].Message, Does.Contain("does not exist"));
        Assert.That(e.Problems[1].Message, Does.Contain("private key"));
    }

    private static Func<ProxyConfig, ProxyConfig> Tls(TlsConfig tls) => Listener(listener => listener with { Tls = tls });

    private static async Task<SslStream> ConnectAsync(ProxyFixture proxy, string name, SslProtocols protocols = SslProtocols.None, Func<Stream, Stream>? over = null)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync((IPEndPoint)proxy.EndPoint, Token);
        Stream network = new NetworkStream(socket, ownsSocket: true);
        var stream = new SslStream(over is null ? network : over(network));
        SslClientAuthenticationOptions options = TlsClientOptions.TrustingAnybody(name);
        options.EnabledSslProtocols = protocols;
        options.ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11];
        await stream.AuthenticateAsClientAsync(options, Token);
        return stream;
    }

    private static async Task<string> AskAsync(SslStream client)
    {
        await SendAsync(client, Get);
        string head = await HeadAsync(client);
        await client.ReadExactlyAsync(new byte[2], Token);
        return head;
    }

    private static async Task SendAsync(SslStream client, string text) => await client.WriteAsync(Encoding.Latin1.GetBytes(text), Token);

    private static async Task<string> HeadAsync(SslStream client)
    {
        var head = new StringBuilder();
        byte[] one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            await client.ReadExactlyAsync(one, Token);
            head.Append((char)one[0]);
        }
        return head.ToString();
    }
}
