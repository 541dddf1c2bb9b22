using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Policies;
using LoadBalancer.Gateway.Authentication;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests.Gateway;

/// <summary>Signed tokens, with keys that are had from a server.</summary>
[CancelAfter(60_000)]
public sealed class JwtTests : AuthenticationTests, IAsyncDisposable
{
    private readonly JwksServer _issuer = new();

    public ValueTask DisposeAsync() => _issuer.DisposeAsync();

    private JwtConfig Config(Func<SourceConfig, SourceConfig>? change = null)
    {
        var source = new SourceConfig { From = _issuer.Url };
        return new JwtConfig
        {
            Issuers = new Dictionary<string, IssuerConfig> { [JwksServer.Issuer] = new() { Jwks = change?.Invoke(source) ?? source, Audiences = ["api"] } },
            Realm = "test",
            Headers = new Dictionary<string, string> { ["X-User"] = "sub", ["X-User-Roles"] = "roles", ["X-Name"] = "name" },
        };
    }

    private string Claims(string more = "") => $$"""{"iss":"{{JwksServer.Issuer}}","aud":"api","sub":"alice","exp":{{Now + 600}},"roles":["a,b","c"],"name":"Ünal 100%"{{more}}}""";

    private string Bearer(string? claims = null) => $"Authorization: Bearer {_issuer.Token(claims ?? Claims())}\r\n";

    [Test]
    public async Task AGoodTokenGoesOnWithItsClaimsAsFieldsThatNoClientCanForge()
    {
        await StartAsync(Config() with { LogClaims = ["roles"] });
        string answer = await AskAsync(Bearer() + "x-user: root\r\nX_User: root\r\nX.User: root\r\nX-USER-ROLES: root\r\nx_user-roles: root\r\nX-Name: root\r\nX-Users: mine\r\nXAUser: mine\r\n");
        Assert.Multiple(() =>
        {
            Assert.That(answer, Does.StartWith("HTTP/1.1 200 "));
            Assert.That(answer, Does.Contain("\r\nX-User: alice\r\n").And.Contain("\r\nX-User-Roles: a%2Cb,c\r\n").And.Contain("\r\nX-Name: %C3%9Cnal 100%25\r\n"));
            Assert.That(answer, Does.Not.Contain("root"));
            Assert.That(answer, Does.Contain("X-Users: mine").And.Contain("XAUser: mine").And.Contain("Authorization: Bearer "));
        });
        Completion record = await Proxy.Completions.NextAsync(Token);
        Assert.That((record.Subject, record.Fields!.Single().Value), Is.EqualTo(("alice", "a,b")));
    }

    [Test]
    public async Task AFieldIsNotForgedInATrailer()
    {
        string trailers = "";
        await using var origin = new ScriptedOrigin(async (connection, _, token) =>
        {
            await connection.ReadUntilAsync("\r\n0\r\n", token);
            trailers = await connection.ReadUntilAsync("\r\n", token);
            await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", token);
        });
        await StartAsync(Config(), config => config with { Clusters = ProxyFixture.Config(default, origin.Address).Clusters });
        Assert.That(await AskAsync(Bearer() + "Transfer-Encoding: chunked\r\n", "POST / HTTP/1.1", "1\r\na\r\n0\r\nX-User: root\r\n\r\n"), Does.StartWith("HTTP/1.1 200 "));
        Assert.That(trailers, Is.EqualTo("\r\n"));
    }

    [Test]
    public async Task AClaimThatIsNotThereLeavesNoFieldOfTheClients()
    {
        await StartAsync(Config());
        string answer = await AskAsync(Bearer($$"""{"iss":"{{JwksServer.Issuer}}","aud":"api","exp":{{Now + 600}}}""") + "X-User: root\r\nX-Name: root\r\n");
        Assert.That(answer, Does.StartWith("HTTP/1.1 200 ").And.Not.Contain("root").And.Not.Contain("X-User"));
    }

    [TestCase("", 401, "Bearer realm=\"test\"", "jwt: no-credential")]
    [TestCase("Authorization: Basic YTpi\r\n", 401, "Bearer realm=\"test\"", "jwt: no-credential")]
    [TestCase("Authorization: Bearer\r\n", 401, "error=\"invalid_token\"", "jwt: credential-malformed")]
    [TestCase("Authorization: Bearer x\r\n", 401, "error=\"invalid_token\"", "jwt: token-malformed")]
    [TestCase("Authorization: Bearer a.b.c, Bearer a\r\n", 401, "error=\"invalid_token\"", "jwt: token-malformed")]
    [TestCase("Authorization: Bearer a.b.c\r\nAuthorization: Bearer a.b.c\r\n", 400, "error=\"invalid_request\"", "jwt: several-credentials")]
    [TestCase("Authorization: Bearer a.b.c\r\nauthorization: Basic YTpi\r\n", 400, "error=\"invalid_request\"", "jwt: several-credentials")]
    public async Task ARequestWithoutAGoodTokenIsToldSoAndNoMore(string lines, int status, string challenge, string detail)
    {
        await StartAsync(Config());
        string answer = await AskAsync(lines);
        Assert.That(answer, Does.StartWith($"HTTP/1.1 {status} ").And.Contain("\r\nWWW-Authenticate: Bearer realm=\"test\"").And.Contain(challenge));
        if (!challenge.Contains("error")) Assert.That(answer, Does.Not.Contain("error"));
        Completion record = await Proxy.Completions.NextAsync(Token);
        Assert.That((record.Reason, record.Detail, record.RefusedBy), Is.EqualTo((EndReason.Unauthenticated, detail, "who")));
    }

    [Test]
    public async Task AnExpiredTokenIsRefusedAlsoWhenItWasRemembered()
    {
        await StartAsync(Config());
        string bearer = Bearer();
        RawClient client = await Proxy.ConnectAsync(Token);
        Assert.That(await AskAsync(client, bearer), Does.StartWith("HTTP/1.1 200 "));
        Assert.That(await AskAsync(client, bearer.Replace("Bearer", "bEARER")), Does.StartWith("HTTP/1.1 200 "));
        client.Dispose();
        Time.Advance(TimeSpan.FromSeconds(660));
        string answer = await AskAsync(bearer);
        Assert.That(answer, Does.StartWith("HTTP/1.1 401 ").And.Contain("error=\"invalid_token\"").And.Not.Contain("expired"));
    }

    [Test]
    public async Task WithoutATokenARequestGoesOnWhereItIsOptionalButNotWithABadOne()
    {
        await StartAsync(Config() with { Optional = true });
        Assert.That(await AskAsync("X-User: root\r\n"), Does.StartWith("HTTP/1.1 200 ").And.Not.Contain("root"));
        Assert.That(await AskAsync("Authorization: Bearer x\r\nX-User: root\r\n"), Does.StartWith("HTTP/1.1 401 "));
    }

    [Test]
    public async Task ATokenInACookieIsTakenOutAndTheOtherCookiesStay()
    {
        await StartAsync(Config() with { From = ["cookie:jwt", "header:X-Token"], RemoveCredential = true });
        string token = _issuer.Token(Claims());
        Assert.That(await AskAsync($"Cookie: a=1; jwt={token}; b=2\r\nCookie: c=3\r\n"), Does.StartWith("HTTP/1.1 200 ").And.Contain("Cookie: a=1; b=2\r\n").And.Contain("c=3").And.Not.Contain(token));
        Assert.That(await AskAsync($"X-Token: {token}\r\n"), Does.StartWith("HTTP/1.1 200 ").And.Not.Contain(token));
        Assert.That(await AskAsync($"X-Token: {token}\r\nCookie: jwt={token}\r\n"), Does.StartWith("HTTP/1.1 400 "));
        Assert.That(await AskAsync($"Cookie: jwt={token}\r\nCookie: jwt=x\r\n"), Does.StartWith("HTTP/1.1 400 "));
        Assert.That(await AskAsync($"Authorization: Bearer {token}\r\n"), Does.StartWith("HTTP/1.1 401 "));
    }

    [Test]
    public async Task AClaimWithControlCharactersIsNotForwarded()
    {
        await StartAsync(Config());
        Assert.That(await AskAsync(Bearer(Claims().Replace("\"name\":\"", "\"name\":\"a\\r\\nX-Admin: 1"))), Does.StartWith("HTTP/1.1 401 "));
        Completion record = await Proxy.Completions.NextAsync(Token);
        Assert.That(record.Detail, Is.EqualTo("jwt: claims-malformed (X-Name)"));
    }

    [Test]
    public async Task ANewKeyIsFetchedWhenATokenNamesIt()
    {
        await StartAsync(Config());
        Assert.That(await AskAsync(Bearer()), Does.StartWith("HTTP/1.1 200 "));
        string old = Bearer();
        _issuer.Rotate("k2");
        Assert.That(await AskAsync(Bearer()), Does.StartWith("HTTP/1.1 200 "));
        Assert.That(_issuer.Requests, Is.EqualTo(2));
        // The old key is gone, and who makes names up has nothing fetched.
        Assert.That(await AskAsync(old), Does.StartWith("HTTP/1.1 401 "));
        for (int i = 0; i < 10; i++) Assert.That(await AskAsync($"Authorization: Bearer {_issuer.Token(Claims(), $"x{i}")}\r\n"), Does.StartWith("HTTP/1.1 401 "));
        Assert.That(_issuer.Requests, Is.EqualTo(2));
    }

    [Test]
    public async Task ASlowServerOfKeysHoldsNobodyWhoseKeyIsKnown()
    {
        await StartAsync(Config());
        Assert.That(await AskAsync(Bearer()), Does.StartWith("HTTP/1.1 200 "));
        _issuer.Hold();
        Task<string> unknown = AskAsync($"Authorization: Bearer {_issuer.Token(Claims(), "k9")}\r\n");
        await _issuer.ArrivedAsync(2).WaitAsync(Token);
        Assert.That(await AskAsync(Bearer(Claims(",\"jti\":\"2\""))), Does.StartWith("HTTP/1.1 200 "));
        Assert.That(unknown.IsCompleted, Is.False);
        Time.Advance(TimeSpan.FromSeconds(2));
        Assert.That(await unknown, Does.StartWith("HTTP/1.1 401 "));
    }

    [TestCase("", Description = "closed")]
    [TestCase("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n")]
    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")]
    [TestCase("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/jwks\r\nContent-Length: 0\r\n\r\n")]
    [TestCase("HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n")]
    [TestCase("HTTP/1.1 302 Found\r\nLocation: /jwks.json\r\nContent-Length: 0\r\n\r\n", Description = "for ever")]
    public async Task WithoutKeysNobodyIsLetInUntilTheyCanBeHad(string instead)
    {
        _issuer.Instead = instead;
        await StartAsync(Config());
        string answer = await AskAsync(Bearer());
        Assert.That(answer, Does.StartWith("HTTP/1.1 503 ").And.Contain("\r\nRetry-After: ").And.Not.Contain("WWW-Authenticate"));
        Completion record = await Proxy.Completions.NextAsync(Token);
        Assert.That((record.Reason, record.Detail), Is.EqualTo((EndReason.PolicyUnavailable, "jwt: keys-unavailable")));
        _issuer.Instead = null;
        Time.Advance(TimeSpan.FromSeconds(30));
        Assert.That(await AskAsync(Bearer()), Does.StartWith("HTTP/1.1 200 "));
    }

    [Test]
    public async Task KeysThatAreTooOldAreNoLongerUsed()
    {
        await StartAsync(Config(source => source with { MaxAge = TimeSpan.FromMinutes(10) }) with { UnavailableStatus = 401 });
        string bearer = Bearer(Claims().Replace($"{Now + 600}", $"{Now + 6000}"));
        Assert.That(await AskAsync(bearer), Does.StartWith("HTTP/1.1 200 "));
        _issuer.Instead = "";
        // The connection of a client would be idle for too long.
        Time.Advance(TimeSpan.FromMinutes(11));
        Assert.That(await AskAsync($"Authorization: Bearer {_issuer.Token(Claims(",\"jti\":\"3\""))}\r\n"), Does.StartWith("HTTP/1.1 401 "));
    }

    [Test]
    public async Task WhatAFileRevokesIsRefused()
    {
        string file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, "# none\nsub alice\n", Token);
        await StartAsync(Config() with { Revoked = new SourceConfig { From = file } });
        Assert.That(await AskAsync(Bearer()), Does.StartWith("HTTP/1.1 401 "));
        Assert.That(await AskAsync(Bearer(Claims().Replace("alice", "bob"))), Does.StartWith("HTTP/1.1 200 "));
        File.Delete(file);
    }

    [Test]
    public async Task ALaterPolicyKeepsTheFieldsOfAnEarlierOne()
    {
        PolicyConfig keys = new ApiKeyConfig { Optional = true, Hashes = new Dictionary<string, string> { ["a"] = Identity.ApiKeys.ApiKeys.HashOf("key-a") }, Headers = new Dictionary<string, string> { ["X-User"] = "sub", ["X-Key"] = "key_id" } };
        await StartAsync(new Dictionary<string, PolicyConfig> { ["who"] = Config(), ["key"] = keys }, ["who", "key"]);
        Assert.That(await AskAsync(Bearer() + "X-User: root\r\nX-Key: root\r\n"), Does.Contain("\r\nX-User: alice\r\n").And.Not.Contain("root"));
    }
}
