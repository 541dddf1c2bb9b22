using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>What openssl's own client says of the sessions and of the records between us. The portable path resumes only what .NET lets it.</summary>
[TestFixture]
[CancelAfter(60_000)]
public sealed class TlsSessionTests : IDisposable
{
    private readonly TestCertificate _certificate = new("first.test");
    private string _openssl = "";

    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    private string Session => Path.Combine(Path.GetDirectoryName(_certificate.Pem)!, "session");

    [SetUp]
    public void Prepare()
    {
        Transports.Require(TransportKind.Epoll);
        _openssl = SystemProgram.Require("openssl");
    }

    public void Dispose() => _certificate.Dispose();

    [TestCase("-tls1_2", TlsPolicy.Intermediate)]
    [TestCase("-tls1_3", TlsPolicy.Intermediate)]
    [TestCase("-tls1_3", TlsPolicy.Modern)]
    public async Task ASessionIsResumed(string protocol, TlsPolicy policy)
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(Config(origin, policy));
        Assert.That(await AskAsync(proxy, protocol, "-sess_out", Session), Does.Contain("New, TLSv1").And.Contain("HTTP/1.1 200 OK"));
        Assert.That(await AskAsync(proxy, protocol, "-sess_in", Session), Does.Contain("Reused, TLSv1").And.Contain("HTTP/1.1 200 OK"));
        Assert.That(proxy.Server.DescribeTraffic().Listeners.Single() is { HasTls: true, FullHandshakes: 1, ResumedHandshakes: 1, FailedHandshakes: 0 });
    }

    [TestCase(11, true, Description = "the key still seals")]
    [TestCase(13, true, Description = "it only opens")]
    [TestCase(25, false, Description = "another took its place")]
    [TestCase(49, false, Description = "both are")]
    public async Task ATicketKeyIsForgottenAfterADay(int hours, bool isReused)
    {
        var time = new FakeTimeProvider();
        await using ScriptedOrigin origin = ScriptedOrigin.Answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(Config(origin), time);
        await AskAsync(proxy, "-tls1_3", "-sess_out", Session);
        time.Advance(TimeSpan.FromHours(hours));
        if (hours is > 12 and < 24) await AskAsync(proxy, "-tls1_3"); // a new key seals
        Assert.That(await AskAsync(proxy, "-tls1_3", "-sess_in", Session), Does.Contain(isReused ? "Reused, " : "New, ").And.Contain("HTTP/1.1 200 OK"));
    }

    [Test]
    public async Task ATicketThatWasTamperedWithIsAFullHandshake()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(Config(origin)), other = await ProxyFixture.StartAsync(Config(origin));
        await AskAsync(other, "-tls1_2", "-sess_out", Session); // another's keys
        Assert.That(await AskAsync(proxy, "-tls1_2", "-sess_in", Session), Does.Contain("New, ").And.Contain("HTTP/1.1 200 OK"));
    }

    [TestCase("-tls1_3", "K", true, Description = "both keys are changed")]
    [TestCase("-tls1_3", "k", true, Description = "the client's key is changed")]
    [TestCase("-tls1_2", "R", false, Description = "renegotiation is refused")]
    public async Task WhatAClientAsksForInsideTheEncryption(string protocol, string command, bool isAnswered)
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(Config(origin));
        string output = await OpenSslClient.CommandAsync(_openssl, proxy.EndPoint, command, Token, "-servername", "first.test", protocol);
        Assert.That(output.Contains("HTTP/1.1 200 OK", StringComparison.Ordinal), Is.EqualTo(isAnswered), output);
        Assert.That(await AskAsync(proxy, protocol), Does.Contain("HTTP/1.1 200 OK"));
    }

    private ProxyConfig Config(ScriptedOrigin origin, TlsPolicy policy = TlsPolicy.Intermediate)
    {
        ProxyConfig config = ProxyFixture.Config(TransportKind.Epoll, origin.Address);
        var tls = new TlsConfig { Certificates = [new() { File = _certificate.Pem }], Policy = policy };
        return config with { Listeners = new Dictionary<string, ListenerConfig> { ["main"] = config.Listeners["main"] with { Tls = tls } } };
    }

    private Task<string> AskAsync(ProxyFixture proxy, params string[] options) =>
        OpenSslClient.AskAsync(_openssl, proxy.EndPoint, Token, ["-servername", "first.test", .. options]);
}
