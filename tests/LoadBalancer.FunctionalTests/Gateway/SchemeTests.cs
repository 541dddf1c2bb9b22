using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Policies;
using LoadBalancer.Gateway.Authentication;
using LoadBalancer.Identity;
using LoadBalancer.Identity.Certificates;
using LoadBalancer.Identity.Sessions;
using LoadBalancer.Identity.Signatures;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests.Gateway;

/// <summary>API keys, passwords, signed requests, sessions, client certificates, and several of them together.</summary>
[CancelAfter(60_000)]
public sealed class SchemeTests : AuthenticationTests
{
    private const string Secret = "0123456789abcdef0123456789abcdef";
    private static readonly IReadOnlyDictionary<string, string> Headers = new Dictionary<string, string> { ["X-User"] = "sub" };

    private static ApiKeyConfig ApiKeys() => new()
    {
        Hashes = new Dictionary<string, string> { ["ci"] = Identity.ApiKeys.ApiKeys.HashOf("lb_key") + " owner=alice roles=a,b" },
        Headers = Headers,
    };

    private static BasicConfig Basic() => new() { Hashes = new Dictionary<string, string> { ["bob"] = BCrypt.Net.BCrypt.HashPassword("secret", 5) }, Headers = Headers };

    private static SessionConfig Session() => new() { Keys = new Dictionary<string, string> { ["k1"] = Secret }, Headers = Headers };

    private static SignatureConfig Signature() => new() { Keys = new Dictionary<string, SigningKeyConfig> { ["partner"] = new() { Secret = Secret } }, Headers = Headers };

    [Test]
    public async Task AnApiKeyIsItsOwnerAndStaysHere()
    {
        await StartAsync(ApiKeys());
        Assert.That(await AskAsync("X-Api-Key: lb_key\r\nX-User: root\r\n"), Does.StartWith("HTTP/1.1 200 ").And.Contain("\r\nX-User: alice\r\n").And.Not.Contain("lb_key"));
        Assert.That(await AskAsync("X-Api-Key: lb_kez\r\n"), Does.StartWith("HTTP/1.1 401 ").And.Contain("WWW-Authenticate: ApiKey realm=\"who\", in=\"header X-Api-Key\""));
        Assert.That(await AskAsync("X-Api-Key: lb_key\r\nx-api-key: lb_key\r\n"), Does.StartWith("HTTP/1.1 400 "));
        Assert.That(await AskAsync("X-Api-Key: \r\n"), Does.StartWith("HTTP/1.1 401 "));
    }

    [Test]
    public async Task AFileOfApiKeysIsFollowedAndABadOneIsNotTaken()
    {
        string file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, "ci:" + Identity.ApiKeys.ApiKeys.HashOf("one"), Token);
        await StartAsync(ApiKeys() with { Hashes = new Dictionary<string, string>(), Keys = new SourceConfig { From = file } });
        Assert.That(await AskAsync("X-Api-Key: one\r\n"), Does.StartWith("HTTP/1.1 200 "));
        await File.WriteAllTextAsync(file, "ci:nothing", Token);
        await UntilLoggedAsync("cannot be used");
        Assert.That(await AskAsync("X-Api-Key: one\r\n"), Does.StartWith("HTTP/1.1 200 "));
        await File.WriteAllTextAsync(file, "ci:" + Identity.ApiKeys.ApiKeys.HashOf("two"), Token);
        await UntilLoggedAsync("taken");
        Assert.That(await AskAsync("X-Api-Key: one\r\n"), Does.StartWith("HTTP/1.1 401 "));
        Assert.That(await AskAsync("X-Api-Key: two\r\n"), Does.StartWith("HTTP/1.1 200 "));
        File.Delete(file);
    }

    // The looks are by the clock, which goes on until one was told of.
    private async Task UntilLoggedAsync(string text)
    {
        Task<string> next = Proxy.Log.NextAsync(Token);
        while (true)
        {
            while (!next.IsCompleted)
            {
                Time.Advance(TimeSpan.FromMilliseconds(500));
                await Task.WhenAny(next, Task.Delay(1, Token));
            }
            if ((await next).Contains(text, StringComparison.Ordinal)) return;
            next = Proxy.Log.NextAsync(Token);
        }
    }

    [Test]
    public async Task APasswordIsVerifiedAndStaysHere()
    {
        await StartAsync(Basic() with { Realm = "staff" });
        string Credential(string text) => $"Authorization: basic {Convert.ToBase64String(Encoding.UTF8.GetBytes(text))}\r\n";
        for (int i = 0; i < 2; i++) Assert.That(await AskAsync(Credential("bob:secret")), Does.StartWith("HTTP/1.1 200 ").And.Contain("\r\nX-User: bob\r\n").And.Not.Contain("Authorization"));
        foreach (string wrong in (string[])["bob:Secret", "eve:secret", "bob"])
            Assert.That(await AskAsync(Credential(wrong)), Does.StartWith("HTTP/1.1 401 ").And.Contain("WWW-Authenticate: Basic realm=\"staff\", charset=\"UTF-8\"\r\n"));
        Assert.That(await AskAsync(""), Does.StartWith("HTTP/1.1 401 "));
    }

    [Test]
    public async Task ASessionThatWasTamperedWithIsRefused()
    {
        await StartAsync(Session());
        var codec = new SessionCodec([new SessionKey("k1", Encoding.ASCII.GetBytes(Secret))], null, null, Time);
        string session = codec.Issue(new PrincipalBuilder("login", "carol").Build(), TimeSpan.FromMinutes(10));
        Assert.That(await AskAsync($"Cookie: a=1; session={session}\r\n"), Does.StartWith("HTTP/1.1 200 ").And.Contain("\r\nX-User: carol\r\n").And.Contain("Cookie: a=1\r\n"));
        string forged = string.Join('.', session.Split('.').Select((part, i) => i != 2 ? part : Identity.Tokens.StrictBase64Url.Encode(Encoding.ASCII.GetBytes($$"""{"iat":1,"exp":9999999999,"sub":"root"}"""))));
        foreach (string other in (string[])[forged, session[..^1], session + "A", session.Replace("v1.k1", "v1.k2"), "x"])
            Assert.That(await AskAsync($"Cookie: session={other}\r\n"), Does.StartWith("HTTP/1.1 401 "), other);
        Time.Advance(TimeSpan.FromMinutes(10));
        Assert.That(await AskAsync($"Cookie: session={session}\r\n"), Does.StartWith("HTTP/1.1 401 "));
    }

    private sealed class Message(string method, string query, string? digest) : ISignedRequest
    {
        public string Method => method;
        public string UriScheme => "http";
        public string Authority => "api.test";
        public string Path => "/a";
        public string Query => query;
        public bool HasBody => digest is not null;
        public string? Field(string name) => name == "content-digest" ? digest : null;
    }

    private string Sign(string method, string query, string? body, string nonce = "n")
    {
        string? digest = body is null ? null : ContentDigest.Of(Encoding.UTF8.GetBytes(body));
        string[] components = ["@method", "@authority", "@path", "@query", .. digest is null ? Array.Empty<string>() : ["content-digest"]];
        string parameters = $"({string.Join(' ', components.Select(c => $"\"{c}\""))});created={Now};keyid=\"partner\";nonce=\"{nonce}\"";
        byte[] signed = SignatureVerifier.BaseOf(new Message(method, query, digest), components, parameters, out _)!;
        string mac = Convert.ToBase64String(HMACSHA256.HashData(Encoding.ASCII.GetBytes(Secret), signed));
        return $"Signature-Input: s={parameters}\r\nSignature: s=:{mac}:\r\n{(digest is null ? "" : $"Content-Digest: {digest}\r\n")}";
    }

    [Test]
    public async Task ASignedRequestIsVerifiedWithItsBody()
    {
        await StartAsync(Signature());
        Assert.That(await AskAsync(Sign("GET", "b=c", null)), Does.StartWith("HTTP/1.1 200 ").And.Contain("\r\nX-User: partner\r\n"));
        Assert.That(await AskAsync(Sign("GET", "b=d", null)), Does.StartWith("HTTP/1.1 401 "));
        Assert.That(await AskAsync(Sign("POST", "", "hello") + "Content-Length: 5\r\n", "POST /a HTTP/1.1", "hello"), Does.StartWith("HTTP/1.1 200 "));
        Assert.That(await AskAsync(Sign("POST", "", "hello") + "Content-Length: 5\r\n", "POST /a HTTP/1.1", "hullo"), Does.StartWith("HTTP/1.1 401 "));
        Assert.That(await AskAsync(Sign("POST", "", null) + "Content-Length: 5\r\n", "POST /a HTTP/1.1", "hello"), Does.StartWith("HTTP/1.1 401 "));
        Assert.That(await AskAsync(Sign("POST", "", "hello") + "Transfer-Encoding: chunked\r\n", "POST /a HTTP/1.1", "5\r\nhello\r\n0\r\n\r\n"), Does.StartWith("HTTP/1.1 200 "));
        Assert.That(await AskAsync(""), Does.StartWith("HTTP/1.1 401 ").And.Contain("WWW-Authenticate: Signature realm=\"who\"\r\n"));
    }

    [Test]
    public async Task ASignatureWithANonceIsGoodOnce()
    {
        await StartAsync(Signature() with { NoncesMax = 100 });
        string lines = Sign("GET", "b=c", null);
        Assert.That(await AskAsync(lines), Does.StartWith("HTTP/1.1 200 "));
        Assert.That(await AskAsync(lines), Does.StartWith("HTTP/1.1 401 "));
        Assert.That(await AskAsync(Sign("GET", "b=c", null, "m")), Does.StartWith("HTTP/1.1 200 "));
    }

    [Test]
    public async Task ABodyThatIsTooLongForItsDigestIsRefused()
    {
        await StartAsync(Signature() with { BodyBytesMax = 4 });
        Assert.That(await AskAsync(Sign("POST", "", "hello") + "Content-Length: 5\r\n", "POST /a HTTP/1.1", "hello"), Does.StartWith("HTTP/1.1 413 "));
    }

    [Test]
    public async Task AClientCertificateSaysWhoTheRequestIsFrom()
    {
        using var authority = new TestAuthority();
        using var server = new TestCertificate("site.test");
        await StartAsync(new MutualTlsConfig { Subject = CertificateSubject.CommonName, Headers = Headers }, config => config with
        {
            Listeners = new Dictionary<string, ListenerConfig>
            {
                ["main"] = config.Listeners["main"] with { Tls = new() { Certificates = [new() { File = server.Pem }], ClientCertificates = new() { Ca = authority.Root, Mode = ClientCertificateMode.Optional } } },
            },
        });
        X509Certificate2 certificate = authority.Issue(["client.test"], daysLeft: 60, forClients: true);
        using RawClient client = await Proxy.ConnectAsync(Token);
        await client.StartTlsAsync("site.test", Token, certificate);
        for (int i = 0; i < 2; i++) Assert.That(await AskAsync(client, "X-User: root\r\n"), Does.StartWith("HTTP/1.1 200 ").And.Contain("\r\nX-User: client.test\r\n").And.Not.Contain("root"));
        using RawClient without = await Proxy.ConnectAsync(Token);
        await without.StartTlsAsync("site.test", Token);
        Assert.That(await AskAsync(without, ""), Does.StartWith("HTTP/1.1 403 "));
    }

    [Test]
    public async Task OfSeveralWaysTheFirstIsTakenWhoseCredentialIsThere()
    {
        await StartAsync(new Dictionary<string, PolicyConfig> { ["keys"] = ApiKeys(), ["people"] = Basic(), ["any"] = new AuthenticateConfig { AnyOf = ["keys", "people"] } }, ["any"]);
        string bob = $"Authorization: Basic {Convert.ToBase64String("bob:secret"u8)}\r\n";
        Assert.That(await AskAsync("X-Api-Key: lb_key\r\nX-User: root\r\n"), Does.Contain("\r\nX-User: alice\r\n").And.Not.Contain("root"));
        Assert.That(await AskAsync(bob), Does.Contain("\r\nX-User: bob\r\n"));
        Assert.That(await AskAsync(bob + "X-Api-Key: wrong\r\n"), Does.StartWith("HTTP/1.1 401 "), "a bad credential is not passed over");
        string answer = await AskAsync("X-User: root\r\n");
        Assert.That(answer, Does.StartWith("HTTP/1.1 401 ").And.Contain("WWW-Authenticate: ApiKey realm=\"keys\"").And.Contain("WWW-Authenticate: Basic realm=\"people\""));
    }

    [Test]
    public async Task ALimitCountsByASubject()
    {
        await StartAsync(ApiKeys(), config => config with
        {
            Limits = new Dictionary<string, LimitConfig> { ["each"] = new() { Rate = "1/h", Key = ["claim:sub"] } },
            Routes = new Dictionary<string, RouteConfig> { ["all"] = config.Routes["all"] with { Limits = new Dictionary<string, int> { ["each"] = 1 } } },
        });
        Assert.That(await AskAsync("X-Api-Key: lb_key\r\n"), Does.StartWith("HTTP/1.1 200 "));
        Assert.That(await AskAsync("X-Api-Key: lb_key\r\n"), Does.StartWith("HTTP/1.1 429 "));
    }
}
