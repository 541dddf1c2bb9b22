using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Channels;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>TLS to destinations whose every byte the test decides.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(60_000)]
public sealed class UpstreamTlsTests(TransportKind transport) : ExchangeTests(transport), IDisposable
{
    private const string Get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    private readonly TestAuthority _authority = new(), _other = new("Another root");

    public void Dispose()
    {
        _authority.Dispose();
        _other.Dispose();
    }

    private UpstreamTlsConfig Trusting => new() { Ca = _authority.Root };

    [Test]
    public async Task RequestsGoOverOneVerifiedConnection()
    {
        var seen = Channel.CreateUnbounded<(string? Name, string Head, SslApplicationProtocol Protocol)>();
        await using ScriptedOrigin origin = ScriptedOrigin.OverTls(_authority.Issue(["a.test"]), async (c, _, t) =>
        {
            while (true)
            {
                string head = await c.ReadUntilAsync("\r\n\r\n", t);
                await seen.Writer.WriteAsync((c.Tls!.TargetHostName, head, c.Tls.NegotiatedApplicationProtocol), t);
                await c.SendAsync(Ok, t);
            }
        });
        await using ProxyFixture proxy = await StartAsync(Trusting, $"a.test:{origin.Port}");
        using RawClient client = await proxy.ConnectAsync(Token);
        for (int i = 0; i < 4; i++)
        {
            await client.SendAsync(Get, Token);
            Assert.That(await client.ReadResponseAsync(Token), Does.EndWith("ok"));
            (string? name, string head, SslApplicationProtocol protocol) = await seen.Reader.ReadAsync(Token);
            Assert.That((name, protocol), Is.EqualTo(("a.test", SslApplicationProtocol.Http11)));
            Assert.That(head, Does.Contain("\r\nHost: h\r\n").And.Contain("\r\nX-Forwarded-Proto: http\r\n"), "both are of the client's connection");
            Completion completion = await proxy.Completions.NextAsync(Token);
            Assert.That((completion.Reason, completion.Reused), Is.EqualTo((EndReason.Completed, i > 0)));
        }
        Assert.That(origin.Connections, Is.EqualTo(1));
    }

    [Test]
    public async Task AnAddressWithHttpsIsVerifiedAgainstTheSystemsAuthorities()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.OverTls(_authority.Issue(["a.test"]), ScriptedOrigin.Always(Ok)), plain = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(null, $"https://a.test:{origin.Port}", plain.Address);
        var ends = new List<(string?, EndReason, int)>();
        for (int i = 0; i < 2; i++)
        {
            using RawClient client = await proxy.ConnectAsync(Token);
            await client.SendAsync(Get, Token);
            await client.ReadResponseAsync(Token);
            Completion completion = await proxy.Completions.NextAsync(Token);
            ends.Add((completion.Destination, completion.Reason, completion.Status));
        }
        Assert.That(ends, Is.EquivalentTo(new[] { ("d0", EndReason.UpstreamCertificateInvalid, 502), ("d1", EndReason.Completed, 200) }));
    }

    // Nothing of what is to be encrypted may go out in plain, whichever destination was the first to ask for TLS.
    [Test]
    public async Task EveryAddressWithHttpsIsSpokenToInTls()
    {
        await using ScriptedOrigin first = ScriptedOrigin.OverTls(_authority.Issue(["a.test"]), ScriptedOrigin.Always(Ok)), second = ScriptedOrigin.OverTls(_authority.Issue(["b.test"]), ScriptedOrigin.Always(Ok));
        await using ProxyFixture proxy = await StartAsync(null, $"https://a.test:{first.Port}", $"https://b.test:{second.Port}");
        for (int i = 0; i < 2; i++)
        {
            await AskAsync(proxy, 502);
            Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.UpstreamCertificateInvalid));
        }
        proxy.Server.UpdateDestinations("app", new Dictionary<string, DestinationConfig> { ["later"] = new() { Address = $"https://c.test:{second.Port}" } });
        await AskAsync(proxy, 502);
        Completion completion = await proxy.Completions.NextAsync(Token);
        Assert.That((completion.Destination, completion.Reason), Is.EqualTo(("later", EndReason.UpstreamCertificateInvalid)));
    }

    [TestCase("unknown", "127.0.0.1", Description = "an authority that is not believed")]
    [TestCase("expired", "127.0.0.1")]
    [TestCase("other", "127.0.0.1", Description = "another name's")]
    [TestCase("other", "b.test", Description = "another name's, asked by name")]
    [TestCase("address", "b.test", Description = "an address's, asked by name")]
    [TestCase("self", "a.test", Description = "self-signed")]
    [TestCase("client", "127.0.0.1", Description = "a client's certificate")]
    [TestCase("wildcard", "x.a.wild.test", Description = "a wildcard stands for one label")]
    public async Task ACertificateThatIsNotValidIsAReasonAndNoFallback(string kind, string host)
    {
        using var self = new TestCertificate("a.test");
        X509Certificate2 certificate = kind switch
        {
            "unknown" => _other.Issue(["127.0.0.1"]),
            "expired" => _authority.Issue(["127.0.0.1"], daysLeft: -1),
            "other" => _authority.Issue(["a.test", "127.0.0.2"]),
            "address" => _authority.Issue(["127.0.0.1"]),
            "self" => X509CertificateLoader.LoadPkcs12FromFile(self.Pfx, TestCertificate.Password),
            "client" => _authority.Issue(["127.0.0.1"], forClients: true),
            _ => _authority.Issue(["*.wild.test"]),
        };
        bool isAsked = false;
        await using ScriptedOrigin origin = ScriptedOrigin.OverTls(certificate, async (c, _, t) => isAsked = (await c.ReadToEndAsync(t)).Length > 0);
        await using ProxyFixture proxy = await StartAsync(Trusting, $"{host}:{origin.Port}");
        await AskAsync(proxy, 502);
        Completion completion = await proxy.Completions.NextAsync(Token);
        Assert.That(completion.Reason, Is.EqualTo(EndReason.UpstreamCertificateInvalid));
        Assert.That(await proxy.Log.NextAsync(Token), Does.StartWith("cluster app: no TLS connection to destination d0: its certificate is not accepted: ").And.EndWith($" (expected \"{host}\")"));
        Assert.That(isAsked, Is.False);
    }

    [TestCase("a.test", "a.test")]
    [TestCase("A.test", "a.test")]
    [TestCase("x.wild.test", "*.wild.test")]
    [TestCase("127.0.0.1", "127.0.0.1")]
    public async Task ACertificateForTheHostOfTheAddressIsAccepted(string host, string name)
    {
        string? asked = "?";
        await using ScriptedOrigin origin = ScriptedOrigin.OverTls(_authority.Issue([name]), async (c, n, t) =>
        {
            asked = c.Tls!.TargetHostName;
            await ScriptedOrigin.Always(Ok)(c, n, t);
        });
        await using ProxyFixture proxy = await StartAsync(Trusting, $"{host}:{origin.Port}");
        await AskAsync(proxy, 200);
        Assert.That(asked, Is.EqualTo(host == "127.0.0.1" ? "" : host).IgnoreCase, "an address is not asked for: RFC 6066 §3");
    }

    // RFC 6874 §1: a zone says where to send, and is no part of what the peer is named.
    [TestCase("::1", 200)]
    [TestCase("::2", 502)]
    public async Task AnAddressWithAZoneIsVerifiedWithoutIt(string name, int status)
    {
        X509Certificate2 certificate = _authority.Issue([name]);
        await using var origin = new ScriptedOrigin(async (c, n, t) =>
        {
            await c.AcceptTlsAsync(ScriptedOrigin.TlsOptions(certificate), t);
            await ScriptedOrigin.Always(Ok)(c, n, t);
        }, new System.Net.IPEndPoint(System.Net.IPAddress.IPv6Loopback, 0));
        await using ProxyFixture proxy = await StartAsync(Trusting, $"[::1%1]:{origin.Port}");
        await AskAsync(proxy, status);
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(status == 200 ? EndReason.Completed : EndReason.UpstreamCertificateInvalid));
    }

    [TestCase("service.test")]
    [TestCase("10.9.8.7")]
    public async Task AnotherNameMayBeExpected(string name)
    {
        await using ScriptedOrigin origin = ScriptedOrigin.OverTls(_authority.Issue([name]), ScriptedOrigin.Always(Ok));
        await using ProxyFixture proxy = await StartAsync(Trusting with { ServerName = name }, origin.Address);
        await AskAsync(proxy, 200);
    }

    [TestCase(true, "a.test:{port}")]
    [TestCase(false, "h")]
    public async Task TheHostFieldIsAnotherMatterThanTheName(bool isDestination, string expected)
    {
        string head = "";
        await using ScriptedOrigin origin = ScriptedOrigin.OverTls(_authority.Issue(["service.test"]), async (c, _, t) =>
        {
            head = await c.ReadUntilAsync("\r\n\r\n", t);
            await c.SendAsync(Ok, t);
            await c.ReadToEndAsync(t);
        });
        await using ProxyFixture proxy = await StartAsync(Trusting with { ServerName = "service.test" }, null, cluster => cluster with { Host = isDestination ? "destination" : "client" }, $"https://a.test:{origin.Port}");
        await AskAsync(proxy, 200);
        Assert.That(head, Does.Contain($"\r\nHost: {expected.Replace("{port}", $"{origin.Port}", StringComparison.Ordinal)}\r\n"));
    }

    [Test]
    public async Task WithoutVerificationAnybodyIsBelievedAndTheLogSaysSo()
    {
        using var self = new TestCertificate("x.test");
        using X509Certificate2 certificate = X509CertificateLoader.LoadPkcs12FromFile(self.Pfx, TestCertificate.Password);
        await using ScriptedOrigin origin = ScriptedOrigin.OverTls(certificate, ScriptedOrigin.Always(Ok));
        await using ProxyFixture proxy = await StartAsync(new() { Verify = false }, origin.Address);
        Assert.That(await proxy.Log.NextAsync(Token), Does.StartWith("cluster app: the certificates of its destinations are not verified"));
        await AskAsync(proxy, 200);
    }

    [Test]
    public async Task OurCertificateIsShownToDestinationsThatAsk()
    {
        string? subject = null;
        await using ScriptedOrigin origin = ScriptedOrigin.OverTls(_authority.Issue(["127.0.0.1"]), async (c, n, t) =>
        {
            subject = c.Tls!.RemoteCertificate?.Subject;
            await ScriptedOrigin.Always(Ok)(c, n, t);
        }, options =>
        {
            options.ClientCertificateRequired = true;
            options.RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null;
        });
        await using ProxyFixture proxy = await StartAsync(Trusting with { Certificate = new() { File = _authority.IssueFile(["the balancer"], forClients: true) } }, origin.Address);
        await AskAsync(proxy, 200);
        Assert.That(subject, Is.EqualTo("CN=the balancer"));
    }

    [Test]
    public async Task ADestinationThatAnswersInPlainGetsNoRequest()
    {
        string got = "";
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.SendAsync("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", t);
            got = await c.ReadToEndAsync(t);
        });
        await using ProxyFixture proxy = await StartAsync(Trusting, origin.Address);
        await AskAsync(proxy, 502);
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.UpstreamTlsFailed));
        Assert.That(await proxy.Log.NextAsync(Token), Is.EqualTo("cluster app: no TLS connection to destination d0: it answers in plain: it does not speak TLS there"));
        Assert.That(got, Does.Not.Contain("GET"));
    }

    [TestCase("\u0016\u0003\u0003\u0000\u0004junk", Description = "a record that is no hand-shake")]
    [TestCase("\u0016\u0003\u0003\u00ff\u00ff", Description = "a record that is too long")]
    [TestCase("\u0015\u0003\u0003\u0000\u0002\u0002\u0028", Description = "an alert")]
    [TestCase("\u0016\u0003", Description = "half a record")]
    [TestCase("", Description = "nothing")]
    public async Task AHandshakeThatBreaksIsAReason(string answer)
    {
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadAsync(5, t);
            await c.SendAsync(answer, t);
            c.HalfClose();
            await c.ReadToEndAsync(t);
        });
        await using ProxyFixture proxy = await StartAsync(Trusting, origin.Address);
        await AskAsync(proxy, 502);
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.UpstreamTlsFailed));
        Assert.That(await proxy.Log.NextAsync(Token), Does.Match("^cluster app: no TLS connection to destination d0: .{5,}$"));
    }

    [Test]
    public async Task AHandshakeThatTakesTooLongIsAConnectTimeout()
    {
        var time = new FakeTimeProvider();
        var isConnected = new TaskCompletionSource();
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadAsync(5, t);
            isConnected.SetResult();
            await c.ReadToEndAsync(t);
        });
        await using ProxyFixture proxy = await StartAsync(Trusting, time, origin.Address);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(Get, Token);
        await isConnected.Task;
        await proxy.TurnAsync(Token);
        time.Advance(TimeSpan.FromSeconds(2.1));
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 504 "));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.UpstreamConnectTimeout));
    }

    [Test]
    public async Task AFailedHandshakeIsRepeatedElsewhereWhateverTheMethod()
    {
        await using ScriptedOrigin wrong = ScriptedOrigin.OverTls(_other.Issue(["127.0.0.1"]), ScriptedOrigin.Always(Ok)), right = ScriptedOrigin.OverTls(_authority.Issue(["127.0.0.1"]), ScriptedOrigin.Always(Ok));
        await using ProxyFixture proxy = await StartAsync(Trusting, null, cluster => cluster with { Balance = "first" }, wrong.Address, right.Address);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody", Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 200 "));
        Completion completion = await proxy.Completions.NextAsync(Token);
        Assert.That((completion.Destination, completion.Attempts), Is.EqualTo(("d1", 2)));
    }

    // RFC 9112 §9.8: an end without a close_notify may be an attacker's.
    [TestCase(true)]
    [TestCase(false)]
    public async Task ABodyThatEndsWithItsConnectionIsWholeOnlyWithACloseNotify(bool hasNotice)
    {
        await using ScriptedOrigin origin = ScriptedOrigin.OverTls(_authority.Issue(["127.0.0.1"]), async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            await c.SendAsync("HTTP/1.1 200 OK\r\n\r\nthe whole body", t);
            if (hasNotice) await c.ShutdownTlsAsync();
            c.HalfClose();
            await c.ReadToEndAsync(t);
        });
        await using ProxyFixture proxy = await StartAsync(Trusting, origin.Address);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", Token);
        string answer = await client.ReadToEndAsync(Token);
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(hasNotice ? EndReason.Completed : EndReason.UpstreamTruncated));
        Assert.That(client.End, Is.EqualTo(hasNotice ? StreamEnd.Fin : StreamEnd.Reset));
        Assert.That(answer.EndsWith("0\r\n\r\n", StringComparison.Ordinal), Is.EqualTo(hasNotice), answer);
    }

    [Test]
    public async Task ABodyThatSaysItsLengthIsWholeWithoutACloseNotify()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.OverTls(_authority.Issue(["127.0.0.1"]), async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            await c.SendAsync(Ok, t);
            c.HalfClose();
        });
        await using ProxyFixture proxy = await StartAsync(Trusting, origin.Address);
        for (int i = 0; i < 3; i++) await AskAsync(proxy, 200);
        Assert.That(origin.Connections, Is.EqualTo(3));
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task AnIdleConnectionThatEndsIsNotUsedAgain(bool hasNotice)
    {
        var ended = Channel.CreateUnbounded<StreamEnd>();
        var end = Channel.CreateUnbounded<bool>();
        await using ScriptedOrigin origin = ScriptedOrigin.OverTls(_authority.Issue(["127.0.0.1"]), async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            await c.SendAsync(Ok, t);
            await end.Reader.ReadAsync(t);
            if (hasNotice) await c.ShutdownTlsAsync();
            else c.HalfClose();
            await c.ReadToEndAsync(t);
            await ended.Writer.WriteAsync(c.End, t);
        });
        await using ProxyFixture proxy = await StartAsync(Trusting, origin.Address);
        for (int i = 0; i < 2; i++)
        {
            await AskAsync(proxy, 200);
            Assert.That((await proxy.Completions.NextAsync(Token)).Reused, Is.False);
            await end.Writer.WriteAsync(true, Token);
            Assert.That(await ended.Reader.ReadAsync(Token), Is.EqualTo(StreamEnd.Fin), "closed by us, while idle");
        }
    }

    [Test]
    public async Task BigBodiesPassBothWays([Values(SslProtocols.Tls12, SslProtocols.Tls13)] SslProtocols protocol)
    {
        const int Length = 3_000_000;
        await using ScriptedOrigin origin = ScriptedOrigin.OverTls(_authority.Issue(["127.0.0.1"]), async (c, _, t) =>
        {
            while (true)
            {
                await c.ReadUntilAsync("\r\n\r\n", t);
                string body = await c.ReadAsync(Length, t);
                await c.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {Length}\r\n\r\n{body}", t);
            }
        }, options => options.EnabledSslProtocols = protocol);
        await using ProxyFixture proxy = await StartAsync(Trusting, origin.Address);
        using RawClient client = await proxy.ConnectAsync(Token);
        string sent = string.Concat(Enumerable.Range(0, Length / 10).Select(i => $"{i:d10}"));
        for (int i = 0; i < 2; i++)
        {
            await client.SendAsync($"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {Length}\r\n\r\n{sent}", Token);
            string answer = await client.ReadResponseAsync(Token);
            Assert.That(answer.EndsWith(sent, StringComparison.Ordinal));
        }
        Assert.That(origin.Connections, Is.EqualTo(1));
    }

    [Test]
    public async Task AnUpgradedConnectionGoesOverTls()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.OverTls(_authority.Issue(["127.0.0.1"]), async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            await c.SendAsync("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n", t);
            await c.SendAsync("got " + await c.ReadToEndAsync(t), t);
            await c.ShutdownTlsAsync();
        });
        await using ProxyFixture proxy = await StartAsync(Trusting, origin.Address);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n", Token);
        Assert.That(await client.ReadUntilAsync("\r\n\r\n", Token), Does.StartWith("HTTP/1.1 101 "));
        await client.SendAsync("hi", Token);
        client.HalfClose();
        Assert.That(await client.ReadToEndAsync(Token), Is.EqualTo("got hi"));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.TunnelClosed));
    }

    [Test]
    public async Task TheProxyHeaderComesBeforeTheHandshake()
    {
        string header = "";
        X509Certificate2 certificate = _authority.Issue(["127.0.0.1"]);
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            header = await c.ReadLineAloneAsync(t);
            await c.AcceptTlsAsync(ScriptedOrigin.TlsOptions(certificate), t);
            await ScriptedOrigin.Always(Ok)(c, 0, t);
        });
        await using ProxyFixture proxy = await StartAsync(Trusting, null, cluster => cluster with { ProxyProtocol = ProxyProtocolVersion.V1 }, origin.Address);
        using RawClient client = await proxy.ConnectAsync(Token);
        for (int i = 0; i < 2; i++)
        {
            await client.SendAsync(Get, Token);
            Assert.That(await client.ReadResponseAsync(Token), Does.EndWith("ok"));
        }
        Assert.That(header, Does.StartWith($"PROXY TCP4 127.0.0.1 127.0.0.1 {((System.Net.IPEndPoint)client.LocalEndPoint).Port} "));
        Assert.That(origin.Connections, Is.EqualTo(1));
    }

    [Test]
    public async Task ChecksSpeakTlsAndSayWhatIsWrong()
    {
        await using ScriptedOrigin wrong = ScriptedOrigin.OverTls(_other.Issue(["127.0.0.1"]), ScriptedOrigin.Always(Ok)), right = ScriptedOrigin.OverTls(_authority.Issue(["127.0.0.1"]), ScriptedOrigin.Always(Ok));
        await using ProxyFixture proxy = await StartAsync(Trusting, null, cluster => cluster with { HealthCheck = new() }, wrong.Address, right.Address);
        string[] notes = [await proxy.Log.NextAsync(Token), await proxy.Log.NextAsync(Token)];
        Assert.That(notes[0], Does.StartWith("cluster app: no TLS connection to destination d0: its certificate is not accepted: "));
        Assert.That(notes[1], Does.StartWith("cluster app: destination d0 is unhealthy: hand-shake: its certificate is not accepted: "));
        for (int i = 0; i < 3; i++)
        {
            await AskAsync(proxy, 200);
            Assert.That((await proxy.Completions.NextAsync(Token)).Attempts, Is.EqualTo(1));
        }
    }

    [Test]
    public async Task CopiesForAShadowGoOverTls()
    {
        var mirrored = new TaskCompletionSource<string>();
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok), shadow = ScriptedOrigin.OverTls(_authority.Issue(["127.0.0.1"]), async (c, _, t) =>
        {
            mirrored.TrySetResult(await c.ReadUntilAsync("\r\n\r\n", t));
            await c.SendAsync(Ok, t);
            await c.ReadToEndAsync(t);
        });
        ProxyConfig config = ProxyFixture.Config(Transport, origin.Address);
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config with
        {
            Clusters = new Dictionary<string, ClusterConfig>
            {
                ["app"] = config.Clusters["app"],
                ["shadow"] = new() { Tls = Trusting, Destinations = new Dictionary<string, DestinationConfig> { ["s"] = new() { Address = shadow.Address } } },
            },
            Routes = new Dictionary<string, RouteConfig> { ["all"] = new() { Cluster = "app", Mirror = new() { Cluster = "shadow" } } },
        });
        await AskAsync(proxy, 200);
        Assert.That(await mirrored.Task.WaitAsync(Token), Does.Contain("X-Mirrored: 1\r\n"));
    }

    [Test]
    public async Task ATlsDestinationOfAPlainClusterIsNoAnswer()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.OverTls(_authority.Issue(["127.0.0.1"]), ScriptedOrigin.Always(Ok));
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(Transport, origin.Address));
        await AskAsync(proxy, 502);
    }

    private static async Task AskAsync(ProxyFixture proxy, int status)
    {
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(Get, Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith($"HTTP/1.1 {status} "));
    }

    private Task<ProxyFixture> StartAsync(UpstreamTlsConfig? tls, params string[] destinations) => StartAsync(tls, null, null, destinations);

    private Task<ProxyFixture> StartAsync(UpstreamTlsConfig? tls, TimeProvider? time, params string[] destinations) => StartAsync(tls, time, null, destinations);

    private Task<ProxyFixture> StartAsync(UpstreamTlsConfig? tls, TimeProvider? time, Func<ClusterConfig, ClusterConfig>? change, params string[] destinations)
    {
        ProxyConfig config = ProxyFixture.Config(Transport, destinations);
        ClusterConfig cluster = config.Clusters["app"] with { Tls = tls, Balance = "round-robin" };
        if (destinations.Length == 1 || tls is null) cluster = cluster with { RetriesMax = 0 };
        if (change is not null) cluster = change(cluster);
        return ProxyFixture.StartAsync(config with { Clusters = new Dictionary<string, ClusterConfig> { ["app"] = cluster } }, time, new LoopbackNames());
    }
}
