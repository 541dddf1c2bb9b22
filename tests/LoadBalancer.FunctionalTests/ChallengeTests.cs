using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>What a certification authority finds while it validates a name, and certificates that come while the server runs.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(30_000)]
public sealed class ChallengeTests(TransportKind transport) : ExchangeTests(transport), IDisposable
{
    private const string Path = "/.well-known/acme-challenge/";
    private readonly TestCertificate _certificate = new("first.test"), _other = new("other.test"), _challenge = new("first.test");

    public void Dispose()
    {
        _certificate.Dispose();
        _other.Dispose();
        _challenge.Dispose();
    }

    [Test]
    public async Task AnAnswerOverHttpComesBeforeAnyRoute()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, Route(new() { Redirect = new() { To = "https://{host}/" } }));
        Assert.That(proxy.Server.Challenges.TryAddHttp("to_ken-1", "to_ken-1.print"u8.ToArray()), Is.True);
        Assert.That(await ExchangeAsync(proxy, $"GET {Path}to_ken-1 HTTP/1.1\r\nHost: first.test\r\n\r\n"),
            Does.StartWith("HTTP/1.1 200 ").And.Contains("Content-Type: application/octet-stream\r\n").And.EndsWith("\r\n\r\nto_ken-1.print"));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.Responded));
        // What is not pending, or asks otherwise, is nobody's challenge.
        foreach (string head in new[] { $"GET {Path}to_ken-2", $"GET {Path}to_ken-1/", $"GET {Path}", $"POST {Path}to_ken-1", $"GET {Path}{new string('a', 300)}", "GET /to_ken-1" })
            Assert.That(await ExchangeAsync(proxy, $"{head} HTTP/1.1\r\nHost: first.test\r\nContent-Length: 0\r\n\r\n"), Does.StartWith("HTTP/1.1 30"), head);
        proxy.Server.Challenges.RemoveHttp("to_ken-1");
        Assert.That(await ExchangeAsync(proxy, $"GET {Path}to_ken-1 HTTP/1.1\r\nHost: first.test\r\n\r\n"), Does.StartWith("HTTP/1.1 30"));
        Assert.That(proxy.Server.Challenges.HasHttp, Is.False);
    }

    [TestCase("")]
    [TestCase("a/b")]
    [TestCase("../a")]
    [TestCase("a b")]
    public async Task ATokenIsOneSegmentOfAPath(string token)
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, config => config);
        Assert.That(() => proxy.Server.Challenges.TryAddHttp(token, []), Throws.ArgumentException);
    }

    [Test]
    public async Task PendingChallengesAreBounded()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, config => config);
        using X509Certificate2 certificate = X509Certificate2.CreateFromPemFile(_challenge.Pem);
        for (int i = 0; i < Core.Tls.PendingChallenges.CountMax; i++)
            Assert.That((proxy.Server.Challenges.TryAddHttp($"t{i}", []), proxy.Server.Challenges.TryAddTls($"{i}.test", certificate)), Is.EqualTo((true, true)));
        Assert.That((proxy.Server.Challenges.TryAddHttp("one-more", []), proxy.Server.Challenges.TryAddTls("more.test", certificate)), Is.EqualTo((false, false)));
    }

    [TestCase(1)]
    [TestCase(int.MaxValue)]
    public async Task WhoOffersAcmeOnlyGetsTheChallengesCertificateAndNothingElse(int piece)
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, Tls(new() { Certificates = [new() { File = _certificate.Pem }] }));
        using X509Certificate2 certificate = X509Certificate2.CreateFromPemFile(_challenge.Pem);
        Assert.That(proxy.Server.Challenges.TryAddTls("first.test", certificate), Is.True);
        var made = new TaskCompletionSource<HoldingStream>();
        Task<SslStream> connecting = ConnectAsync(proxy, "first.test", ["acme-tls/1"], below =>
        {
            var held = new HoldingStream(below);
            held.Hold();
            made.SetResult(held);
            return held;
        });
        HoldingStream hello = await made.Task.WaitAsync(Token);
        while (!connecting.IsCompleted)
        {
            await hello.PassAsync(piece);
            await proxy.TurnAsync(Token);
        }
        using SslStream client = await connecting;
        await hello.PassAsync(int.MaxValue); // the end of our side of the hand-shake
        Assert.That(((X509Certificate2)client.RemoteCertificate!).Thumbprint, Is.EqualTo(_challenge.Thumbprint));
        Assert.That(client.NegotiatedApplicationProtocol, Is.EqualTo(new SslApplicationProtocol("acme-tls/1")));
        Assert.That(await client.ReadAsync(new byte[1], Token), Is.Zero);
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.ChallengeAnswered));
    }

    [Test]
    public async Task AHelloThatDoesNotComeWhileAChallengeIsPendingFails()
    {
        var time = new FakeTimeProvider();
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(Tls(new() { Certificates = [new() { File = _certificate.Pem }] })(ProxyFixture.Config(Transport, origin.Address)), time);
        using X509Certificate2 certificate = X509Certificate2.CreateFromPemFile(_challenge.Pem);
        proxy.Server.Challenges.TryAddTls("first.test", certificate);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("\u0016\u0003\u0001", Token);
        Task<Completion> completion = proxy.Completions.NextAsync(Token);
        while (!completion.IsCompleted)
        {
            await proxy.TurnAsync(Token);
            time.Advance(TimeSpan.FromSeconds(1));
        }
        Assert.That((await completion).Reason, Is.EqualTo(EndReason.HandshakeTimeout));
        Assert.That(proxy.Server.DescribeTraffic().Listeners.Single().FailedHandshakes, Is.EqualTo(1));
    }

    [TestCase("first.test", "http/1.1")]
    [TestCase("first.test", "http/1.1,acme-tls/1")]
    [TestCase("other.test", "http/1.1")]
    public async Task OthersAreServedMeanwhile(string name, string protocols)
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, Tls(new() { Certificates = [new() { File = _certificate.Pem }] }));
        using X509Certificate2 certificate = X509Certificate2.CreateFromPemFile(_challenge.Pem);
        proxy.Server.Challenges.TryAddTls("first.test", certificate);
        using SslStream client = await ConnectAsync(proxy, name, protocols.Split(','));
        Assert.That(((X509Certificate2)client.RemoteCertificate!).Thumbprint, Is.EqualTo(_certificate.Thumbprint));
        Assert.That(await StatusAsync(client), Does.StartWith("HTTP/1.1 200 "));
    }

    [TestCase("other.test", true)]
    [TestCase("first.test", false)]
    public async Task WithoutAPendingChallengeNobodySpeaksAcme(string name, bool isOtherPending)
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, Tls(new() { Certificates = [new() { File = _certificate.Pem }] }));
        using X509Certificate2 certificate = X509Certificate2.CreateFromPemFile(_challenge.Pem);
        if (isOtherPending) proxy.Server.Challenges.TryAddTls("first.test", certificate);
        Assert.That(async () => (await ConnectAsync(proxy, name, ["acme-tls/1"])).Dispose(), Throws.InstanceOf<AuthenticationException>().Or.InstanceOf<IOException>());
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.HandshakeFailed));
    }

    [Test]
    public async Task AListenerThatHasNoCertificateYetRefusesAndServesFromTheMomentItHas()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, config => Tls(new() { Acme = ["first.test", "other.test"] })(config) with { Acme = new() { AgreeToTerms = true } });
        string openssl = SystemProgram.Require("openssl");
        Assert.That(await OpenSslClient.AskAsync(openssl, proxy.EndPoint, Token, "-servername", "first.test"), Does.Contain("alert internal error"));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.CertificateMissing));
        Assert.That(proxy.Server.DescribeTraffic().Listeners.Single().FailedHandshakes, Is.EqualTo(1));
        foreach (TestCertificate had in new[] { _other, _certificate, _challenge })
        {
            string name = had == _other ? "other.test" : "first.test";
            proxy.Server.SetCertificate("main", name, X509Certificate2.CreateFromPemFile(had.Pem), []);
            using SslStream client = await ConnectAsync(proxy, name, ["http/1.1"]);
            Assert.That(((X509Certificate2)client.RemoteCertificate!).Thumbprint, Is.EqualTo(had.Thumbprint));
        }
        Assert.That(proxy.Server.DescribeCertificates().Select(one => (one.File, string.Join(",", one.Listeners), one.Fingerprint)), Is.EqualTo(new[]
        {
            ("acme:first.test", "main", Fingerprint(_challenge)), ("acme:other.test", "main", Fingerprint(_other)),
        }));
        // The first name is what clients get that ask for none.
        using SslStream nameless = await ConnectAsync(proxy, "", ["http/1.1"]);
        Assert.That(((X509Certificate2)nameless.RemoteCertificate!).Thumbprint, Is.EqualTo(_challenge.Thumbprint));
        Assert.That(() => proxy.Server.SetCertificate("nobody", "first.test", X509Certificate2.CreateFromPemFile(_other.Pem), []), Throws.ArgumentException);
        using X509Certificate2 keyless = X509CertificateLoader.LoadCertificateFromFile(_other.Certificate);
        Assert.That(() => proxy.Server.SetCertificate("main", "other.test", keyless, []), Throws.InstanceOf<CryptographicException>().Or.InstanceOf<NotSupportedException>());
    }

    [Test]
    public async Task WhatWasIssuedIsToldOfBeforeItExpires()
    {
        using var authority = new TestAuthority();
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        ProxyConfig config = Tls(new() { Acme = ["first.test"] })(ProxyFixture.Config(Transport, origin.Address)) with { Acme = new() { AgreeToTerms = true } };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config, time);
        proxy.Server.SetCertificate("main", "first.test", authority.Issue(["first.test"], daysLeft: 5), []);
        time.Advance(TimeSpan.FromSeconds(11)); // the next look
        Assert.That(await proxy.Log.NextAsync(Token), Does.StartWith("certificate acme:first.test (listener main; first.test").And.Contain("expires in"));
    }

    private static string Fingerprint(TestCertificate certificate)
    {
        using X509Certificate2 read = X509CertificateLoader.LoadCertificateFromFile(certificate.Certificate);
        return Convert.ToHexStringLower(read.GetCertHash(HashAlgorithmName.SHA256));
    }

    private static Func<ProxyConfig, ProxyConfig> Tls(TlsConfig tls) => Listener(listener => listener with { Tls = tls });

    private async Task<string> ExchangeAsync(ProxyFixture proxy, string request)
    {
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(request, Token);
        return await client.ReadResponseAsync(Token);
    }

    private static async Task<string> StatusAsync(SslStream client)
    {
        await client.WriteAsync("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"u8.ToArray(), Token);
        using var reader = new StreamReader(client, Encoding.Latin1);
        return await reader.ReadLineAsync(Token) ?? "";
    }

    private static async Task<SslStream> ConnectAsync(ProxyFixture proxy, string name, string[] protocols, Func<Stream, Stream>? over = null)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(proxy.EndPoint, Token);
        Stream below = new NetworkStream(socket, ownsSocket: true);
        var client = new SslStream(over is null ? below : over(below));
        SslClientAuthenticationOptions options = TlsClientOptions.TrustingAnybody(name);
        options.ApplicationProtocols = [.. protocols.Select(protocol => new SslApplicationProtocol(protocol))];
        try
        {
            await client.AuthenticateAsClientAsync(options, Token);
            return client;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }
}
