using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>Clients that prove who they are by certificate, and what destinations hear of it.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(30_000)]
public sealed class ClientCertificateTests(TransportKind transport) : ExchangeTests(transport), IDisposable
{
    private const string Forged = "Client-Cert: :Zm9yZ2Vk:\r\nclient-cert-subject: CN=forged\r\nClient_Cert_Subject: CN=forged\r\nCLIENT-CERT-CHAIN: :Zm9yZ2Vk:\r\n";

    private readonly TestCertificate _server = new("site.test");
    private readonly TestAuthority _authority = new(), _stranger = new("Another root");

    public void Dispose()
    {
        _server.Dispose();
        _authority.Dispose();
        _stranger.Dispose();
    }

    [Test]
    public async Task DestinationsAreToldWhoTheClientIsAndNothingThatItSaysItself()
    {
        X509Certificate2 certificate = _authority.Issue(["client.test"], forClients: true);
        (string head, _) = await AskAsync(new() { Ca = _authority.Root, Forward = ClientCertificateFields.Subject | ClientCertificateFields.Fingerprint | ClientCertificateFields.Certificate }, certificate);
        string[] lines = [.. head.Split("\r\n").Where(line => line.StartsWith("client", StringComparison.OrdinalIgnoreCase))];
        Assert.That(lines, Is.EqualTo(new[]
        {
            "Client-Cert-Subject: CN=client.test",
            $"Client-Cert-Fingerprint: {Convert.ToHexStringLower(SHA256.HashData(certificate.RawData))}",
            $"Client-Cert: :{Convert.ToBase64String(certificate.RawData)}:",
        }));
    }

    [Test]
    public async Task WithoutACertificateAClientIsServedWhereItIsOptional()
    {
        (string head, _) = await AskAsync(new() { Ca = _authority.Root, Mode = ClientCertificateMode.Optional }, null);
        Assert.That(head, Does.StartWith("GET ").And.Not.Contain("forged").IgnoreCase);
    }

    private static IEnumerable<TestCaseData> Refusals()
    {
        foreach (ClientCertificateMode mode in Enum.GetValues<ClientCertificateMode>())
        {
            yield return new TestCaseData(mode, (ClientCertificateTests t) => t._stranger.Issue(["client.test"], forClients: true)).SetArgDisplayNames(mode.ToString(), "unknown authority");
            yield return new TestCaseData(mode, (ClientCertificateTests t) => t._authority.Issue(["client.test"], daysLeft: -1, forClients: true)).SetArgDisplayNames(mode.ToString(), "expired");
            yield return new TestCaseData(mode, (ClientCertificateTests t) => t._authority.Issue(["client.test"], forClients: false)).SetArgDisplayNames(mode.ToString(), "a server's");
        }
        yield return new TestCaseData(ClientCertificateMode.Required, (ClientCertificateTests _) => (X509Certificate2?)null).SetArgDisplayNames("Required", "none");
    }

    [TestCaseSource(nameof(Refusals))]
    public async Task OtherwiseTheHandshakeFailsForANamedReason(ClientCertificateMode mode, Func<ClientCertificateTests, X509Certificate2?> certificate)
    {
        (string head, EndReason reason) = await AskAsync(new() { Ca = _authority.Root, Mode = mode }, certificate(this));
        Assert.That((head, reason), Is.EqualTo(("", EndReason.ClientCertificateRefused)));
    }

    [TestCase(false)]
    [TestCase(true, Description = "a proxy before this one has verified it")]
    public async Task AListenerBesideItDropsForgedFieldsTooButForTrustedProxies(bool isTrusted)
    {
        string head = "";
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            head = await c.ReadUntilAsync("\r\n\r\n", t);
            await c.SendAsync(Ok, t);
        });
        await using ProxyFixture proxy = await StartAsync(origin, config => config with
        {
            Listeners = new Dictionary<string, ListenerConfig>
            {
                ["main"] = config.Listeners["main"] with { TrustedProxies = isTrusted ? ["127.0.0.0/8"] : [] },
                ["secure"] = config.Listeners["main"] with { Tls = new() { Certificates = [new() { File = _server.Pem }], ClientCertificates = new() { Ca = _authority.Root } } },
            },
        });
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync($"GET / HTTP/1.1\r\nHost: h\r\n{Forged}\r\n", Token);
        await client.ReadResponseAsync(Token);
        Assert.That(head.Contains("forged", StringComparison.Ordinal), Is.EqualTo(isTrusted), head);
    }

    [Test]
    public async Task WhereNoClientIsVerifiedTheFieldsAreLikeAnyOther()
    {
        string head = "";
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            head = await c.ReadUntilAsync("\r\n\r\n", t);
            await c.SendAsync(Ok, t);
        });
        await using ProxyFixture proxy = await StartAsync(origin);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync($"GET / HTTP/1.1\r\nHost: h\r\n{Forged}\r\n", Token);
        await client.ReadResponseAsync(Token);
        Assert.That(head, Does.Contain(Forged));
    }

    [TestCase("-tls1_2")]
    [TestCase("-tls1_3")]
    public async Task AResumedSessionKeepsTheIdentityUntilTheCertificateExpires(string protocol)
    {
        if (Transport != TransportKind.Epoll) Assert.Pass("the portable path resumes no sessions");
        string openssl = SystemProgram.Require("openssl"), file = _authority.IssueFile(["client.test"], daysLeft: 3, forClients: true), session = file + ".session";
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var heads = new List<string>();
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            heads.Add(await c.ReadUntilAsync("\r\n\r\n", t));
            await c.SendAsync(Ok, t);
        });
        ProxyConfig config = Listening(new() { Ca = _authority.Root })(ProxyFixture.Config(Transport, origin.Address));
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config, time);
        Assert.That(await ClientAsync("-sess_out", session), Does.Contain("New, TLSv1"));
        Assert.That(await ClientAsync("-sess_in", session), Does.Contain("Reused, TLSv1"));
        Assert.That(heads, Has.Count.EqualTo(2).And.All.Contains("Client-Cert-Subject: CN=client.test\r\n"));
        heads.Clear();
        time.SetUtcNow(DateTimeOffset.UtcNow.AddDays(3).AddMinutes(1));
        await ClientAsync(); // a key of that day; OpenSSL itself, by the system's clock, has nothing against it
        Assert.That(heads, Is.Empty);
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.Completed));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.Completed));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.ClientCertificateRefused));

        Task<string> ClientAsync(params string[] options) => OpenSslClient.AskAsync(openssl, proxy.EndPoint, Token, ["-cert", file, protocol, .. options]);
    }

    [Test]
    public void ABundleThatCannotBeUsedIsAProblemOfTheConfiguration()
    {
        ConfigException e = Assert.Throws<ConfigException>(() => _ = new Core.ProxyServer(
            Listening(new() { Ca = "/nowhere.pem" })(ProxyFixture.Config(Transport, "127.0.0.1:1")), Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance))!;
        Assert.That(e.Problems.Select(problem => problem.Path), Is.EqualTo(new[] { "listeners.main.tls.clientCertificates.ca" }));
        Assert.That(e.Problems[0].Message, Does.Contain("does not exist"));
    }

    private Func<ProxyConfig, ProxyConfig> Listening(ClientCertificateConfig clients) =>
        Listener(listener => listener with { Tls = new() { Certificates = [new() { File = _server.Pem }], ClientCertificates = clients } });

    /// <summary>What the destination got, empty for nothing, and why it ended.</summary>
    private async Task<(string Head, EndReason Reason)> AskAsync(ClientCertificateConfig clients, X509Certificate2? certificate)
    {
        string head = "";
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            head = await c.ReadUntilAsync("\r\n\r\n", t);
            await c.SendAsync(Ok, t);
        });
        await using ProxyFixture proxy = await StartAsync(origin, Listening(clients));
        using RawClient client = await proxy.ConnectAsync(Token);
        try
        {
            await client.StartTlsAsync("site.test", Token, certificate);
            await client.SendAsync($"GET / HTTP/1.1\r\nHost: h\r\n{Forged}\r\n", Token);
            await client.ReadResponseAsync(Token);
        }
        catch (Exception e) when (e is IOException or System.Security.Authentication.AuthenticationException)
        {
            // With TLS 1.3 the client's side is done before the server has looked at its certificate.
        }
        return (head, (await proxy.Completions.NextAsync(Token)).Reason);
    }
}
