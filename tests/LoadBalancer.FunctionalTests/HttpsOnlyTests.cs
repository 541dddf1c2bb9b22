using System.Net;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>Listeners that keep their clients on HTTPS: redirects from plain HTTP, and Strict-Transport-Security (RFC 6797).</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(30_000)]
public sealed class HttpsOnlyTests(TransportKind transport) : ExchangeTests(transport), IDisposable
{
    private const string Line = "\r\nStrict-Transport-Security: max-age=31536000\r\n";
    private readonly TestAuthority _authority = new();

    public void Dispose() => _authority.Dispose();

    [TestCase("GET /app HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200)]
    [TestCase("GET /app HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200 OK\r\nstrict-transport-SECURITY: max-age=1\r\nContent-Length: 0\r\nStrict-Transport-Security: max-age=2\r\n\r\n", 200)]
    [TestCase("GET /app HTTP/1.0\r\nHost: h\r\n\r\n", "HTTP/1.0 200 OK\r\nStrict-Transport-Security: max-age=1\r\n\r\n", 200)]
    [TestCase("GET /app HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", "HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: x\r\nStrict-Transport-Security: max-age=1\r\n\r\n", 101)]
    [TestCase("GET /app HTTP/1.1\r\nHost: h\r\n\r\n", "nothing like HTTP\r\n", 502)]
    [TestCase("GET /none HTTP/1.1\r\nHost: h\r\n\r\n", "", 404)]
    [TestCase("GET /moved HTTP/1.1\r\nHost: h\r\n\r\n", "", 308)]
    [TestCase("GET /fixed HTTP/1.1\r\nHost: h\r\n\r\n", "", 200)]
    [TestCase("GET / HTTP/1.1\r\n\r\n", "", 400)]
    [TestCase("CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\n\r\n", "", 405)]
    public async Task EveryAnswerOverTlsHasTheFieldOnce(string request, string answer, int status)
    {
        await using ScriptedOrigin origin = Answering(answer);
        await using ProxyFixture proxy = await StartAsync(origin, Site(new()));
        using RawClient client = await SecureAsync(proxy);
        await client.SendAsync(request, Token);
        string head = await client.ReadUntilAsync("\r\n\r\n", Token);
        Assert.That(head, Does.StartWith($"HTTP/1.1 {status} ").And.Contains(Line));
        Assert.That(head.ToLowerInvariant().Split("strict-transport-security"), Has.Length.EqualTo(2), head);
    }

    [Test]
    public async Task AnInterimAnswerHasItNotAndItsOwnIsDropped()
    {
        await using ScriptedOrigin origin = Answering("HTTP/1.1 103 E\r\nLink: </a>\r\nStrict-Transport-Security: max-age=1\r\n\r\n" + Ok);
        await using ProxyFixture proxy = await StartAsync(origin, Site(new()));
        using RawClient client = await SecureAsync(proxy);
        await client.SendAsync("GET /app HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        Assert.That(await client.ReadUntilAsync("\r\n\r\n", Token), Does.StartWith("HTTP/1.1 103 ").And.Contains("Link:").And.Not.Contains("Strict-Transport-Security"));
        Assert.That(await client.ReadUntilAsync("\r\n\r\n", Token), Does.StartWith("HTTP/1.1 200 ").And.Contains(Line));
    }

    [TestCase(365, false, false, "max-age=31536000")]
    [TestCase(0, false, false, "max-age=0")]
    [TestCase(1, true, false, "max-age=86400; includeSubDomains")]
    [TestCase(730, true, true, "max-age=63072000; includeSubDomains; preload")]
    public async Task TheFieldSaysWhatIsConfigured(int days, bool subDomains, bool preload, string expected)
    {
        await using ScriptedOrigin origin = Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, Site(new() { MaxAge = TimeSpan.FromDays(days), IncludeSubDomains = subDomains, Preload = preload }));
        using RawClient client = await SecureAsync(proxy);
        await client.SendAsync("GET /app HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        Assert.That(await client.ReadUntilAsync("\r\n\r\n", Token), Does.Contain($"\r\nStrict-Transport-Security: {expected}\r\n"));
    }

    [TestCase("GET /a/../b?c=d&e HTTP/1.1\r\nHost: h.test\r\n\r\n", "https://h.test/b?c=d&e")]
    [TestCase("GET / HTTP/1.1\r\nHost: h.test:8080\r\n\r\n", "https://h.test/")]
    [TestCase("GET / HTTP/1.1\r\nHost: h.test:\r\n\r\n", "https://h.test/")]
    [TestCase("GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", "https://[::1]/")]
    [TestCase("GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n", "https://[::1]/")]
    [TestCase("GET /x HTTP/1.0\r\nHost: h\r\n\r\n", "https://h/x")]
    [TestCase("GET http://target.test:81/x?y HTTP/1.1\r\nHost: other.test\r\n\r\n", "https://target.test/x?y")]
    [TestCase("GET //evil.test/x HTTP/1.1\r\nHost: h\r\n\r\n", "https://h/evil.test/x")]
    [TestCase("GET /\\evil.test HTTP/1.1\r\nHost: h\r\n\r\n", null, Description = "no character of a target")]
    [TestCase("GET /a|b HTTP/1.1\r\nHost: h\r\n\r\n", "https://h/a%7Cb")]
    [TestCase("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "https://h")]
    [TestCase("GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-Host: evil.test\r\nForwarded: host=evil.test;proto=https\r\n\r\n", "https://h/")]
    [TestCase("GET / HTTP/1.1\r\nHost: user@evil.test\r\n\r\n", null)]
    [TestCase("GET / HTTP/1.1\r\nHost: h/evil\r\n\r\n", null)]
    [TestCase("GET / HTTP/1.1\r\nHost: h:99999\r\n\r\n", null)]
    [TestCase("GET / HTTP/1.1\r\nHost: \r\n\r\n", null)]
    [TestCase("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", null)]
    [TestCase("GET / HTTP/1.0\r\n\r\n", null)]
    [TestCase("GET https://h/x HTTP/1.1\r\nHost: h\r\n\r\n", null, Description = "would lead to itself")]
    public async Task PlainRequestsAreLedToTheSameResource(string request, string? location)
    {
        await using ScriptedOrigin origin = Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, Site(new() { RedirectFrom = ["127.0.0.1:0"], RedirectPort = 443 }));
        using RawClient client = await RawClient.ConnectAsync(proxy.Server.Endpoints["main-redirect"], Token);
        await client.SendAsync(request, Token);
        string got = await client.ReadResponseAsync(Token);
        if (location is null) Assert.That(got, Does.StartWith("HTTP/1.1 4").And.Not.Contains("Location:"));
        else Assert.That(got, Does.StartWith("HTTP/1.1 308 Permanent Redirect\r\n").And.Contains($"\r\nLocation: {location}\r\n").And.EndsWith("\r\n\r\n"));
        // RFC 6797 §7.2: never over what is not secure.
        Assert.That(got, Does.Not.Contain("Strict-Transport-Security"));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(location is null ? EndReason.BadRequest : EndReason.Responded));
    }

    [Test]
    public async Task AKeptConnectionIsRedirectedAgainAndTheBoundPortIsNamed()
    {
        await using ScriptedOrigin origin = Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, Site(new() { RedirectFrom = ["127.0.0.1:0", "127.0.0.1:0"] }));
        int port = ((IPEndPoint)proxy.EndPoint).Port;
        using RawClient client = await RawClient.ConnectAsync(proxy.Server.Endpoints["main-redirect-2"], Token);
        foreach (string path in new[] { "/a", "/b" })
        {
            await client.SendAsync($"POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi", Token);
            Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 308 ").And.Contains($"\r\nLocation: https://h:{port}{path}\r\n"));
        }
    }

    [Test]
    public async Task PlainHttpOnTheSecurePortIsNotToldOfIt()
    {
        await using ScriptedOrigin origin = Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, Site(new()));
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        Assert.That(await client.ReadToEndAsync(Token), Does.StartWith("HTTP/1.1 400 ").And.Not.Contains("Strict-Transport-Security"));
    }

    [Test]
    public async Task WithoutTheOptionADestinationsFieldPasses()
    {
        const string Field = "\r\nStrict-Transport-Security: max-age=5\r\n";
        await using ScriptedOrigin origin = Answering($"HTTP/1.1 200 OK{Field}Content-Length: 0\r\n\r\n");
        await using ProxyFixture proxy = await StartAsync(origin, Site(null));
        using RawClient client = await SecureAsync(proxy);
        await client.SendAsync("GET /app HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        Assert.That(await client.ReadUntilAsync("\r\n\r\n", Token), Does.Contain(Field));
    }

    // curl follows with the same method and body, and remembers the host as browsers do.
    [Test]
    public async Task CurlIsLedToHttpsAndStaysThere()
    {
        string curl = SystemProgram.Require("curl");
        await using var origin = new EchoOrigin();
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(Site(new() { RedirectFrom = ["127.0.0.1:0"] })(ProxyFixture.Config(Transport, origin.Address)));
        string folder = Directory.CreateTempSubdirectory("lb").FullName;
        try
        {
            string url = $"http://localhost:{((IPEndPoint)proxy.Server.Endpoints["main-redirect"]).Port}/echo";
            (int exitCode, string output) = await SystemProgram.RunAsync(curl, Token, "-sS", "--fail", "-4", "-L", "--cacert", _authority.Root, "--hsts", $"{folder}/hsts",
                "-d", "a body", "-w", " %{num_redirects} %{scheme}", url);
            Assert.That((exitCode, output.ToUpperInvariant()), Is.EqualTo((0, "A BODY 1 HTTPS")));
            Assert.That(await File.ReadAllTextAsync($"{folder}/hsts", Token), Does.Contain("localhost"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static ScriptedOrigin Answering(string answer) => new(async (c, _, t) =>
    {
        await c.ReadUntilAsync("\r\n\r\n", t);
        await c.SendAsync(answer, t);
        if (answer.StartsWith("HTTP/1.0", StringComparison.Ordinal)) c.HalfClose();
        await c.ReadToEndAsync(t);
    });

    private Func<ProxyConfig, ProxyConfig> Site(HttpsOnlyConfig? httpsOnly) => config => config with
    {
        Listeners = new Dictionary<string, ListenerConfig>
        {
            ["main"] = config.Listeners["main"] with { Tls = new() { Certificates = [new() { File = _authority.IssueFile(["localhost"]) }], HttpsOnly = httpsOnly } },
        },
        Routes = new Dictionary<string, RouteConfig>
        {
            ["app"] = new() { Path = "/app", Cluster = "app" },
            ["echo"] = new() { Path = "/echo", Cluster = "app" },
            ["moved"] = new() { Path = "/moved", Redirect = new() { To = "/x" } },
            ["fixed"] = new() { Path = "/fixed", Respond = new() { Headers = new Dictionary<string, string> { ["Strict-transport-security"] = "max-age=9" } } },
        },
    };

    private static async Task<RawClient> SecureAsync(ProxyFixture proxy)
    {
        RawClient client = await proxy.ConnectAsync(Token);
        await client.StartTlsAsync("localhost", Token);
        return client;
    }
}
