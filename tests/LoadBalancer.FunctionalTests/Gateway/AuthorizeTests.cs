using System.Text;
using System.Text.Json;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Policies;
using LoadBalancer.Gateway.Authorization;
using LoadBalancer.Gateway.Authorization.Lookups;
using LoadBalancer.Gateway.Authorization.Rules;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests.Gateway;

/// <summary>Who may do what: rules, an HTTP service, and permissions by key.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
[CancelAfter(10_000)]
public sealed class AuthorizeTests(TransportKind transport) : IAsyncDisposable
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", Allowed = "HTTP/1.1 204 Fine\r\n\r\n", Refused = "HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno";

    private static readonly AuthorizationServiceConfig Check = new() { Cluster = "authz", Path = "/check?a=1", ResponseHeaders = ["X-User"] };

    private readonly FakeTimeProvider _time = new(DateTimeOffset.Parse("2026-01-02T03:04:05Z", null));
    private readonly HeldOrigin _origin = new(), _authz = new();
    private readonly List<RawClient> _clients = [];
    private ProxyFixture _proxy = null!;

    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    private AuthorizePolicy Policy => _proxy.Server.Snapshot.Policies.Values.OfType<AuthorizePolicy>().Single();

    public async ValueTask DisposeAsync()
    {
        foreach (RawClient client in _clients) client.Dispose();
        if (_proxy is not null) await _proxy.DisposeAsync();
        await _origin.DisposeAsync();
        await _authz.DisposeAsync();
    }

    private async Task<RawClient> StartAsync(AuthorizeConfig config, bool caches = false)
    {
        ProxyConfig all = ProxyFixture.Config(transport, _origin.Address);
        _proxy = await ProxyFixture.StartAsync(all with
        {
            AddressLists = new Dictionary<string, AddressListConfig> { ["here"] = new() { Addresses = ["127.0.0.0/8"] } },
            Policies = new Dictionary<string, PolicyConfig> { ["who"] = new CustomPolicyConfig(new Who()), ["may"] = config },
            Routes = new Dictionary<string, RouteConfig> { ["all"] = all.Routes["all"] with { Policies = ["who", "may"], PolicyTimeout = TimeSpan.FromSeconds(60), Cache = caches ? new RouteCacheConfig() : null } },
            Caches = caches ? new Dictionary<string, CacheConfig> { ["main"] = new() } : all.Caches,
            Clusters = new Dictionary<string, ClusterConfig>(all.Clusters) { ["authz"] = new() { Destinations = new Dictionary<string, DestinationConfig> { ["a"] = new() { Address = _authz.Address } } } },
        }, _time);
        return await ConnectAsync();
    }

    private async Task<RawClient> ConnectAsync()
    {
        RawClient client = await _proxy.ConnectAsync(Token);
        _clients.Add(client);
        return client;
    }

    private static string Get(string target = "/a", string fields = "") => $"GET {target} HTTP/1.1\r\nHost: Example.com\r\n{fields}\r\n";

    // Forwarded, and answered by the destination. What arrived there.
    private async Task<string> PassesAsync(RawClient client, string? request = null)
    {
        if (request != "") await client.SendAsync(request ?? Get(), Token);
        string arrived = await _origin.ArrivedAsync(Token);
        _origin.Answer(Ok);
        Assert.That(await client.ReadResponseAsync(Token), Does.EndWith("ok"));
        return arrived;
    }

    private static async Task<string> AnswerAsync(RawClient client, string? request = null)
    {
        await client.SendAsync(request ?? Get(), Token);
        return await client.ReadResponseAsync(Token);
    }

    private async Task<string> AskedAsync(string answer)
    {
        string asked = await _authz.ArrivedAsync(Token);
        _authz.Answer(answer);
        return asked;
    }

    // Who a request is from, as its X-Who says: an earlier policy's affair. One object for each name, as for a token that is known.
    private sealed class Who : IRequestPolicy
    {
        private readonly Dictionary<string, Identity> _known = [];

        public ValueTask<PolicyAnswer?> OnRequestAsync(RequestContext context)
        {
            if (context.Fields.Get("x-who") is not { } json) return default;
            if (!_known.TryGetValue(json, out Identity? identity)) _known.Add(json, identity = new Identity(json));
            context.Identity = identity;
            return default;
        }
    }

    private sealed class Identity(string json) : IClientIdentity
    {
        private readonly JsonElement _claims = JsonDocument.Parse(json).RootElement;

        public string Scheme => "test";

        public string? Subject => GetClaim("sub");

        public ReadOnlyMemory<byte> Json => Encoding.UTF8.GetBytes(json);

        public string? GetClaim(string name) => GetClaims(name) is [var first, ..] ? first : null;

        public IReadOnlyList<string> GetClaims(string name) =>
            !_claims.TryGetProperty(name, out JsonElement claim) ? [] : claim.ValueKind == JsonValueKind.Array ? [.. claim.EnumerateArray().Select(value => value.ToString())] : [claim.ToString()];
    }

    private static AccessRuleConfig Own => new() { Allow = ["*"], Path = ["/users/{id}/**"], Claims = new Dictionary<string, ClaimConditionConfig> { ["sub"] = new() { Is = ["{id}"] } } };

    [TestCase("/users/7", "/users/7")]
    [TestCase("/users/%37/a%20b?x=/../8", "/users/7/a%20b?x=/../8")]
    [TestCase("/users/8/../7/a", "/users/7/a")]
    [TestCase("/x/%2e%2E/users/7", "/users/7")]
    [TestCase("http://other.example/users/7", "/users/7")]
    public async Task ThePathThatRulesSeeIsThePathThatIsForwarded(string target, string forwarded)
    {
        RawClient client = await StartAsync(new AuthorizeConfig { Rules = [Own] });
        string arrived = await PassesAsync(client, Get(target, "X-Who: {\"sub\":\"7\"}\r\n"));
        Assert.That(arrived, Does.StartWith($"GET {forwarded} HTTP/1.1\r\n"));
    }

    [TestCase("/users/8")]
    [TestCase("/users/7/../8")]
    [TestCase("/users/7/..%2f8")]
    [TestCase("/users/7/..;/8")]
    [TestCase("/users/7/%252e%252e/8")]
    [TestCase("/users/7%2f..%2f8")]
    [TestCase("/users/7;/x")]
    [TestCase("//users/7")]
    [TestCase("/Users/7")]
    public async Task WhatMayBeAnotherPathIsRefused_AndTheClientHearsNoReason(string target)
    {
        RawClient client = await StartAsync(new AuthorizeConfig { Rules = [Own with { Name = "own" }] });
        string answer = await AnswerAsync(client, Get(target, "X-Who: {\"sub\":\"7\"}\r\n"));
        Assert.That(answer, Does.StartWith("HTTP/1.1 403 ").And.EndWith("403 Forbidden\n").And.Not.Contain("own").And.Not.Contain("rule"));
        Completion record = await _proxy.Completions.NextAsync(Token);
        Assert.That((record.Reason, record.RefusedBy, _origin.Requests), Is.EqualTo((EndReason.Forbidden, "may", 0)));
        Assert.That(record.Detail, Is.EqualTo("no rule allows it").Or.StartWith("the path has hidden dot").Or.EqualTo("the path is encoded twice"));
    }

    [Test]
    public async Task ACookieWithASpaceBehindItsNameIsThatCookieToTheKey()
    {
        RawClient client = await StartAsync(new AuthorizeConfig { Service = Check with { RequestHeaders = ["Cookie"], Cache = new() { Key = ["path", "cookie:id"] } } });
        await client.SendAsync(Get(fields: "Cookie: id =1\r\n"), Token);
        await AskedAsync(Allowed);
        await PassesAsync(client, "");
        await client.SendAsync(Get(), Token);
        await AskedAsync(Refused);
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 403 "));
    }

    // The service knows clients by a cookie, and says to the destination who they are: the answer is that client's.
    [TestCase("X-User: ann\r\n", false)]
    [TestCase("", true)]
    public async Task AnAnswerToWhomAServiceHasNamedIsNotGivenToOthers(string named, bool isShared)
    {
        RawClient client = await StartAsync(new AuthorizeConfig { Service = Check with { RequestHeaders = ["Cookie"] } }, caches: true);
        string answer = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 3\r\n\r\n";
        await client.SendAsync(Get(fields: "Cookie: id=1\r\n"), Token);
        await AskedAsync($"HTTP/1.1 204 Fine\r\n{named}\r\n");
        await _origin.ArrivedAsync(Token);
        _origin.Answer($"{answer}one");
        Assert.That(await client.ReadResponseAsync(Token), Does.EndWith("one"));
        await client.SendAsync(Get(fields: "Cookie: id=2\r\n"), Token);
        await AskedAsync($"HTTP/1.1 204 Fine\r\n{named}\r\n");
        if (!isShared)
        {
            await _origin.ArrivedAsync(Token);
            _origin.Answer($"{answer}two");
        }
        Assert.That(await client.ReadResponseAsync(Token), Does.EndWith(isShared ? "one" : "two"));
    }

    [Test]
    public async Task TheRecordNamesTheRuleThatDenies()
    {
        RawClient client = await StartAsync(new AuthorizeConfig { Rules = [new() { Deny = ["*"], Path = ["/admin/**"], Name = "no admins" }, new() { Deny = ["POST"] }, new() { Allow = ["*"], Clients = ["here"] }] });
        await AnswerAsync(client, Get("/admin"));
        await AnswerAsync(client, "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
        await PassesAsync(client, Get("/a"));
        Assert.That((await _proxy.Completions.NextAsync(Token)).Detail, Is.EqualTo("denied by no admins"));
        Assert.That((await _proxy.Completions.NextAsync(Token)).Detail, Is.EqualTo("denied by rules[1]"));
    }

    [TestCase(401)]
    [TestCase(403)]
    public async Task WhoeverIsNobodyIsToldAsIsChosen(int status)
    {
        RawClient client = await StartAsync(new AuthorizeConfig { Rules = [Own], Unauthenticated = status });
        string answer = await AnswerAsync(client, Get("/users/7"));
        Assert.That(answer, Does.StartWith($"HTTP/1.1 {status} "));
        Assert.That(answer.Contains("\r\nWWW-Authenticate: Bearer\r\n", StringComparison.Ordinal), Is.EqualTo(status == 401));
        Assert.That((await _proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.Unauthenticated));
        Assert.That(await AnswerAsync(client, Get("/other")), Does.StartWith("HTTP/1.1 403 "), "where it does not matter who it is");
    }

    [Test]
    public async Task ADryRunOnlySaysWhatItWouldRefuse()
    {
        RawClient client = await StartAsync(new AuthorizeConfig { Rules = [Own], DryRun = true, Service = Check });
        await client.SendAsync(Get("/a", "X-User: forged\r\nx_user: forged\r\n"), Token);
        await AskedAsync(Refused);
        Assert.That(await PassesAsync(client, ""), Does.Not.Contain("forged"));
        Completion record = await _proxy.Completions.NextAsync(Token);
        Assert.That((record.Reason, record.DryRunReason, record.DryRunPolicy, record.RefusedBy), Is.EqualTo((EndReason.Completed, EndReason.Forbidden, "may", (string?)null)));
        Assert.That(record.Fields, Is.EqualTo(new[] { KeyValuePair.Create("dryRun.may", "the service in cluster authz answers 403") }));
    }

    [Test]
    public async Task AServiceIsAskedWithWhatIsForwarded()
    {
        RawClient client = await StartAsync(new AuthorizeConfig { Service = Check });
        await client.SendAsync(Get("/x/../a%2fb?q=1", "Authorization: Bearer t\r\nCookie: a=1\r\nCookie: b=2\r\nX-User: forged\r\nx-user: twice\r\nX_USER: forged\r\nX-Other: 1\r\nX-Forwarded-Uri: /evil\r\nX-Forwarded-Method: PUT\r\n"), Token);
        string asked = await AskedAsync("HTTP/1.1 200 OK\r\nX-User: 7\r\nX-More: 8\r\nContent-Length: 4\r\n\r\nfine");
        Assert.That(asked, Does.StartWith("GET /check?a=1 HTTP/1.1\r\n").And.Contain("\r\nAuthorization: Bearer t\r\n").And.Contain("\r\nCookie: a=1\r\nCookie: b=2\r\n")
            .And.Contain("\r\nX-Forwarded-Method: GET\r\n").And.Contain("\r\nX-Forwarded-Proto: http\r\n").And.Contain("\r\nX-Forwarded-Host: Example.com\r\n")
            .And.Contain("\r\nX-Forwarded-Uri: /a%2Fb?q=1\r\n").And.Contain("\r\nX-Forwarded-For: 127.0.0.1\r\n").And.Not.Contain("evil").And.Not.Contain("X-Other").And.Not.Contain("forged"));
        string arrived = await PassesAsync(client, "");
        Assert.That(arrived, Does.StartWith("GET /a%2Fb?q=1 HTTP/1.1\r\n").And.Contain("\r\nX-User: 7\r\n").And.Not.Contain("forged").And.Not.Contain("twice").And.Not.Contain("X-More"));
    }

    [Test]
    public async Task AFieldThatTheServiceDoesNotGiveIsNoOnes()
    {
        RawClient client = await StartAsync(new AuthorizeConfig { Service = Check, Rules = [new() { Allow = ["*"], Path = ["/open"] }] });
        await client.SendAsync(Get("/a", "X-User: forged\r\nx_user: forged\r\n"), Token);
        await AskedAsync(Allowed);
        Assert.That(await PassesAsync(client, ""), Does.Not.Contain("forged"));
        Assert.That(await PassesAsync(client, Get("/open", "X-User: forged\r\nx_user: forged\r\n")), Does.Not.Contain("forged"), "nor where a rule decides");
        Assert.That(_authz.Requests, Is.EqualTo(1));
    }

    [Test]
    public async Task ARefusalOfTheServiceIsGivenToTheClient()
    {
        RawClient client = await StartAsync(new AuthorizeConfig { Service = Check });
        Task<string> answer = AnswerAsync(client);
        await AskedAsync("HTTP/1.1 302 Found\r\nLocation: https://login.example/\r\nSet-Cookie: s=1\r\nSet-Cookie: t=2\r\nContent-Type: text/html\r\nX-Secret: 1\r\nContent-Length: 5\r\n\r\nlogin");
        Assert.That(await answer, Does.StartWith("HTTP/1.1 302 ").And.Contain("\r\nLocation: https://login.example/\r\n").And.Contain("\r\nSet-Cookie: s=1\r\nSet-Cookie: t=2\r\n").And.EndWith("login").And.Not.Contain("Secret"));
        answer = AnswerAsync(client);
        await AskedAsync("HTTP/1.1 401 Who\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 3\r\n\r\nwho");
        Assert.That(await answer, Does.StartWith("HTTP/1.1 401 ").And.Contain("\r\nWWW-Authenticate: Basic realm=\"x\"\r\n").And.EndWith("who"));
        Assert.That(((await _proxy.Completions.NextAsync(Token)).Reason, (await _proxy.Completions.NextAsync(Token)).Reason), Is.EqualTo((EndReason.Responded, EndReason.Unauthenticated)));
    }

    [TestCase("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n")]
    [TestCase("HTTP/1.1 304 Same\r\n\r\n")]
    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n")]
    [TestCase("no HTTP\r\n\r\n")]
    [TestCase(null)]
    public async Task WhatIsNoDecisionIsRefused(string? answer)
    {
        RawClient client = await StartAsync(new AuthorizeConfig { Service = Check });
        Task<string> given = AnswerAsync(client);
        await _authz.ArrivedAsync(Token);
        _authz.Answer(answer);
        Assert.That(await given, Does.StartWith("HTTP/1.1 503 "));
        Assert.That((await _proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.PolicyUnavailable));
        Assert.That(await _proxy.Log.NextAsync(Token), Does.StartWith("policy may gets no decisions: the service "));
    }

    [TestCase(LookupFailure.Deny)]
    [TestCase(LookupFailure.Allow)]
    public async Task AServiceThatIsSilentIsWaitedForSoLong(LookupFailure onError)
    {
        RawClient client = await StartAsync(new AuthorizeConfig { Service = Check with { OnError = onError } });
        await client.SendAsync(Get("/a", "X-User: forged\r\nx_user: forged\r\n"), Token);
        await _authz.ArrivedAsync(Token);
        _time.Advance(TimeSpan.FromSeconds(2));
        if (onError == LookupFailure.Deny) Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 503 "));
        else Assert.That(await PassesAsync(client, ""), Does.Not.Contain("forged"));
    }

    [Test]
    public async Task ADecisionIsKeptForWhoeverItIsAbout()
    {
        RawClient client = await StartAsync(new AuthorizeConfig { Service = Check with { Cache = new() } });
        string Request(string token) => Get("/a", $"Authorization: {token}\r\nX-User: forged\r\n");
        await client.SendAsync(Request("one"), Token);
        await AskedAsync("HTTP/1.1 200 OK\r\nX-User: 1\r\nContent-Length: 0\r\n\r\n");
        await PassesAsync(client, "");
        Assert.That(await PassesAsync(client, Request("one")), Does.Contain("\r\nX-User: 1\r\n").And.Not.Contain("forged"));
        Task<string> other = AnswerAsync(client, Request("two"));
        await AskedAsync(Refused);
        Assert.That(await other, Does.StartWith("HTTP/1.1 403 "));
        Assert.That(await AnswerAsync(client, Request("two")), Does.StartWith("HTTP/1.1 403 ").And.EndWith("no"), "for a second");
        Assert.That(_authz.Requests, Is.EqualTo(2));
        _time.Advance(TimeSpan.FromSeconds(1));
        await client.SendAsync(Request("two"), Token);
        await AskedAsync(Allowed);
        Assert.That(await PassesAsync(client, ""), Does.Not.Contain("X-User"));
        _time.Advance(TimeSpan.FromSeconds(9));
        other = AnswerAsync(client, Request("one"));
        await AskedAsync(Refused);
        Assert.That(await other, Does.StartWith("HTTP/1.1 403 "), "after ten");
    }

    [TestCase("HTTP/1.1 403 No\r\nSet-Cookie: s=1\r\nContent-Length: 0\r\n\r\n", false)]
    [TestCase("HTTP/1.1 429 No\r\nContent-Length: 0\r\n\r\n", false)]
    [TestCase("HTTP/1.1 403 No\r\nCache-Control: no-store\r\nContent-Length: 0\r\n\r\n", false)]
    [TestCase("HTTP/1.1 403 No\r\nCache-Control: max-age=0\r\nContent-Length: 0\r\n\r\n", false)]
    [TestCase("HTTP/1.1 403 No\r\nCache-Control: max-age=60\r\nContent-Length: 0\r\n\r\n", true)]
    public async Task TheServiceSaysWhatIsKept(string answer, bool isKept)
    {
        RawClient client = await StartAsync(new AuthorizeConfig { Service = Check with { Cache = new() { UseCacheControl = true } } });
        Task<string> given = AnswerAsync(client);
        await AskedAsync(answer);
        await given;
        _time.Advance(TimeSpan.FromSeconds(isKept ? 59 : 0));
        given = AnswerAsync(client);
        if (!isKept) await AskedAsync(answer);
        Assert.That(await given, Does.StartWith("HTTP/1.1 4"));
        Assert.That(_authz.Requests, Is.EqualTo(isKept ? 1 : 2));
    }

    [Test]
    public async Task TheLastDecisionHoldsOnWhereThereIsNoOther()
    {
        RawClient client = await StartAsync(new AuthorizeConfig { Service = Check with { Cache = new(), OnError = LookupFailure.Stale, StaleFor = TimeSpan.FromMinutes(1) } });
        await client.SendAsync(Get(), Token);
        await AskedAsync("HTTP/1.1 200 OK\r\nX-User: 1\r\nContent-Length: 0\r\n\r\n");
        await PassesAsync(client, "");
        _time.Advance(TimeSpan.FromSeconds(30));
        await client.SendAsync(Get(), Token);
        await AskedAsync("HTTP/1.1 502 Oops\r\nContent-Length: 0\r\n\r\n");
        Assert.That(await PassesAsync(client, ""), Does.Contain("\r\nX-User: 1\r\n"));
        _time.Advance(TimeSpan.FromSeconds(41));
        Task<string> given = AnswerAsync(client);
        await AskedAsync("HTTP/1.1 502 Oops\r\nContent-Length: 0\r\n\r\n");
        Assert.That(await given, Does.StartWith("HTTP/1.1 503 "));
        Assert.That(await _proxy.Log.NextAsync(Token), Is.EqualTo("policy may gets no decisions: the service answers 502"));
        await client.SendAsync(Get(), Token);
        await AskedAsync(Allowed);
        await PassesAsync(client, "");
        Assert.That(await _proxy.Log.NextAsync(Token), Is.EqualTo("policy may gets decisions again"));
    }

    private async Task<RawClient[]> WaitingAsync(int count)
    {
        var waiting = new RawClient[count];
        for (int i = 0; i < count; i++)
        {
            waiting[i] = await ConnectAsync();
            await waiting[i].SendAsync(Get(), Token);
        }
        while (Policy.Waiting < count) await _proxy.TurnAsync(Token);
        return waiting;
    }

    [Test]
    public async Task OneAsksForAll()
    {
        RawClient first = await StartAsync(new AuthorizeConfig { Service = Check with { Cache = new() } });
        await first.SendAsync(Get(), Token);
        await _authz.ArrivedAsync(Token);
        RawClient[] others = await WaitingAsync(5);
        _authz.Answer(Allowed);
        for (int i = 0; i < 6; i++)
        {
            await _origin.ArrivedAsync(Token);
            _origin.Answer(Ok);
        }
        foreach (RawClient client in others.Prepend(first)) Assert.That(await client.ReadResponseAsync(Token), Does.EndWith("ok"));
        Assert.That((_authz.Requests, Policy.Waiting), Is.EqualTo((1, 0)));
    }

    [Test]
    public async Task WhoAskedForAllGoes_AnotherAsks()
    {
        RawClient first = await StartAsync(new AuthorizeConfig { Service = Check with { Cache = new() } });
        await first.SendAsync(Get(), Token);
        await _authz.ArrivedAsync(Token);
        RawClient[] others = await WaitingAsync(2);
        first.Reset();
        await _authz.ArrivedAsync(Token);
        _authz.Answer(Allowed);
        _authz.Answer(Allowed);
        foreach (RawClient _ in others)
        {
            await _origin.ArrivedAsync(Token);
            _origin.Answer(Ok);
        }
        foreach (RawClient client in others) Assert.That(await client.ReadResponseAsync(Token), Does.EndWith("ok"));
    }

    [Test]
    public async Task ACookieForOneIsNotGivenToThoseWhoWaitForHim()
    {
        RawClient first = await StartAsync(new AuthorizeConfig { Service = Check with { RequestHeaders = [], Cache = new() { Key = ["ip"] } } });
        await first.SendAsync(Get(), Token);
        await _authz.ArrivedAsync(Token);
        RawClient other = (await WaitingAsync(1))[0];
        _authz.Answer("HTTP/1.1 302 Found\r\nLocation: /login\r\nSet-Cookie: s=first\r\nContent-Length: 0\r\n\r\n");
        await AskedAsync("HTTP/1.1 302 Found\r\nLocation: /login\r\nSet-Cookie: s=other\r\nContent-Length: 0\r\n\r\n");
        Assert.That(await first.ReadResponseAsync(Token), Does.Contain("s=first"));
        Assert.That(await other.ReadResponseAsync(Token), Does.Contain("s=other"));
    }

    private sealed class Permissions(Func<PermissionQuestion, ValueTask<PermissionAnswer>> ask) : IPermissionSource
    {
        public ValueTask<PermissionAnswer> AskAsync(PermissionQuestion question, CancellationToken token) => ask(question);
    }

    [Test]
    public async Task ValuesInKeysCannotReachIntoOthers()
    {
        var asked = new List<PermissionQuestion>();
        RawClient client = await StartAsync(new AuthorizeConfig
        {
            Redis = new() { Key = "perm:{claim:sub}:{method}:{path}", Member = "{host}|{ip}|{route}" },
            Permissions = new Permissions(question =>
            {
                asked.Add(question);
                return new(new PermissionAnswer(question.Key.EndsWith("/a", StringComparison.Ordinal), null));
            }),
        });
        await PassesAsync(client, Get("/a", "X-Who: {\"sub\":\"7\"}\r\n"));
        Assert.That(await AnswerAsync(client, Get("/b:c%2F%C3%A4", "X-Who: {\"sub\":\"7:GET:/a *{x}%\"}\r\n")), Does.StartWith("HTTP/1.1 403 "));
        Assert.That(await AnswerAsync(client, Get("/a", "X-Who: {\"sub\":[\"7\",\"8\"]}\r\n")), Does.StartWith("HTTP/1.1 403 "), "which of them is it?");
        Assert.That(await AnswerAsync(client, Get("/a", "X-Who: {}\r\n")), Does.StartWith("HTTP/1.1 403 "));
        Assert.That(await AnswerAsync(client, Get("/a")), Does.StartWith("HTTP/1.1 401 "));
        Assert.That(asked.Select(question => (question.Key, question.Member)), Is.EqualTo(new[]
        {
            ("perm:7:GET:/a", "example.com|127.0.0.1|all"), ("perm:7%3AGET%3A/a%20%2A%7Bx%7D%25:GET:/b%3Ac%252F%25C3%25A4", "example.com|127.0.0.1|all"),
        }));
        string?[] details = new string?[5];
        for (int i = 0; i < 5; i++) details[i] = (await _proxy.Completions.NextAsync(Token)).Detail;
        Assert.That(details[1..4], Is.EqualTo(new[] { "Redis has no such permission", "the request has no claim:sub for a key in Redis", "the request has no claim:sub for a key in Redis" }));
    }

    [TestCase(LookupFailure.Deny, 503)]
    [TestCase(LookupFailure.Allow, 200)]
    [TestCase(LookupFailure.Stale, 503)]
    public async Task ASourceThatIsSilentIsWaitedForSoLong(LookupFailure onError, int status)
    {
        var asked = new SemaphoreSlim(0);
        var never = new TaskCompletionSource<PermissionAnswer>();
        RawClient client = await StartAsync(new AuthorizeConfig
        {
            Redis = new() { Key = "all", OnError = onError, Cache = new() },
            Permissions = new Permissions(_ =>
            {
                asked.Release();
                return new(never.Task);
            }),
        });
        await client.SendAsync(Get(), Token);
        await asked.WaitAsync(Token);
        await _proxy.TurnAsync(Token); // it waits
        _time.Advance(TimeSpan.FromSeconds(1));
        if (status == 200) await PassesAsync(client, "");
        else Assert.That(await client.ReadResponseAsync(Token), Does.StartWith($"HTTP/1.1 {status} "));
        Assert.That(await _proxy.Log.NextAsync(Token), Is.EqualTo("policy may gets no decisions: Redis does not answer in time"));
    }

    [Test]
    public async Task APermissionIsKept()
    {
        int asked = 0;
        RawClient client = await StartAsync(new AuthorizeConfig
        {
            Redis = new() { Key = "perm:{path}", Value = ["yes"], Cache = new() },
            Permissions = new Permissions(question => new(new PermissionAnswer(++asked > 0 && question.Values.SequenceEqual(["yes"]), null))),
        });
        for (int i = 0; i < 3; i++) await PassesAsync(client);
        await PassesAsync(client, Get("/b"));
        Assert.That(asked, Is.EqualTo(2));
    }
}
