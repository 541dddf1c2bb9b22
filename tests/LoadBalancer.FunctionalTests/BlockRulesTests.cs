using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>Requests that rules refuse.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase), CancelAfter(60_000)]
public sealed class BlockRulesTests(TransportKind transport) : ExchangeTests(transport)
{
    private static readonly BlockRuleConfig
        Paths = new() { Paths = ["/wp-admin/**", "*.php", "/exact"] },
        Hosts = new() { Hosts = ["*.bad.test", "bad.test"] },
        Methods = new() { Methods = ["DELETE", "PURGE"] },
        Agents = new() { UserAgents = ["*sqlmap*", "nikto*", ""] },
        Fields = new() { Headers = new Dictionary<string, string> { ["X-A"] = "*evil*", ["X-B"] = "*" } },
        NoField = new() { Headers = new Dictionary<string, string> { ["X-C"] = "" } },
        All = new() { Methods = ["POST"], Paths = ["/login"], UserAgents = ["bot*"] };

    private static Func<ProxyConfig, ProxyConfig> With(params (string Name, BlockRuleConfig Rule)[] rules) => config => config with
    {
        BlockRules = rules.ToDictionary(rule => rule.Name, rule => rule.Rule),
        AddressLists = new Dictionary<string, AddressListConfig> { ["bad"] = new() { Addresses = ["127.0.0.2", "192.0.2.0/24"] } },
    };

    private static IEnumerable<TestCaseData> Cases()
    {
        foreach ((string target, bool isBlocked) in new[]
        {
            ("/wp-admin", true), ("/wp-admin/", true), ("/wp-admin/a/b", true), ("/WP-Admin/x", true), ("/wp-administrator", false), ("/x/wp-admin/y", false), ("/a.php", true), ("/a/b.PHP", true),
            ("/a.php?x=1", true), ("/a?x=.php", false), ("/a.php5", false), ("/exact", true), ("/exact/", false), ("/", false), ("http://h/wp-admin/x", true),
            // One form, whichever the client writes; the same path is forwarded.
            ("/%77p-admin/x", true), ("/x/../wp-admin/y", true), ("/x/%2e%2e/wp-admin/y", true), ("/./wp-admin", true), ("/a%2ephp", true),
            // Forwarded as they are, but destinations may read them so.
            ("/wp-admin%2Fx", true), ("/wp-admin%2f..%2Fx", false), ("/x%2F..%2Fwp-admin/y", true), ("//wp-admin/x", true), ("/x//..//wp-admin", false), ("/wp-admin%5Cx", true), ("/%2Fwp-admin%2Fx", true),
            ("/wp%2Dadmin/x", true), ("/a%252ephp", false),
        }) yield return Case(Paths, $"GET {target} HTTP/1.1\r\nHost: h\r\n\r\n", isBlocked);
        foreach ((string host, bool isBlocked) in new[] { ("bad.test", true), ("BAD.test:8080", true), ("bad.test.", true), ("a.bad.test", true), ("a.b.bad.test:1", true), ("notbad.test", false), ("bad.test.org", false), ("[::1]:80", false) })
            yield return Case(Hosts, $"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n", isBlocked);
        yield return Case(Hosts, "GET http://bad.test/ HTTP/1.1\r\nHost: bad.test\r\n\r\n", true);
        foreach ((string method, bool isBlocked) in new[] { ("DELETE", true), ("PURGE", true), ("delete", false), ("GET", false) })
            yield return Case(Methods, $"{method} / HTTP/1.1\r\nHost: h\r\n\r\n", isBlocked);
        foreach ((string agent, bool isBlocked) in new[] { ("User-Agent: Mozilla\r\n", false), ("user-agent: x SQLMAP y\r\n", true), ("User-Agent: Nikto/2\r\n", true), ("User-Agent: x nikto\r\n", false), ("User-Agent:\r\n", true), ("", true),
            ($"User-Agent: {new string('s', 20_000)}sqlmap{new string('q', 10_000)}\r\n", true), ($"User-Agent: {new string('s', 31_000)}\r\n", false) })
            yield return Case(Agents, $"GET / HTTP/1.1\r\nHost: h\r\n{agent}\r\n", isBlocked);
        foreach ((string fields, bool isBlocked) in new[] { ("X-A: is evil\r\nX-B: any\r\n", true), ("X-A: evil\r\n", false), ("X-A: good\r\nX-B: any\r\n", false), ("x-a: good\r\nx-b: any\r\nX-A: EVIL\r\n", true), ("X-A: evil\r\nX-B:\r\n", false) })
            yield return Case(Fields, $"GET / HTTP/1.1\r\nHost: h\r\n{fields}\r\n", isBlocked);
        foreach ((string fields, bool isBlocked) in new[] { ("", true), ("X-C:\r\n", true), ("X-C: 1\r\n", false), ("X-C:\r\nX-C: 1\r\n", false) })
            yield return Case(NoField, $"GET / HTTP/1.1\r\nHost: h\r\n{fields}\r\n", isBlocked);
        foreach ((string line, string agent, bool isBlocked) in new[] { ("POST /login", "bot", true), ("GET /login", "bot", false), ("POST /", "bot", false), ("POST /login", "person", false) })
            yield return Case(All, $"{line} HTTP/1.1\r\nHost: h\r\nUser-Agent: {agent}\r\nContent-Length: 0\r\n\r\n", isBlocked);

        static TestCaseData Case(BlockRuleConfig rule, string request, bool isBlocked) =>
            new TestCaseData(rule, request, isBlocked).SetArgDisplayNames(request.Length > 100 ? $"{request[..60]} {request.Length}" : request.ReplaceLineEndings(" "), isBlocked ? "blocked" : "served");
    }

    [TestCaseSource(nameof(Cases))]
    public async Task ARuleRefusesWhatAllItsConditionsHoldFor(BlockRuleConfig rule, string request, bool isBlocked)
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, With(("r", rule)));
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(request, Token);
        string answer = await client.ReadResponseAsync(Token);
        Completion completion = await proxy.Completions.NextAsync(Token);
        Assert.That((answer[9..12], completion.Reason, completion.RefusedBy, completion.Route),
            Is.EqualTo(isBlocked ? ("403", EndReason.RequestBlocked, "r", null) : ("200", EndReason.Completed, (string?)null, "all")));
    }

    [Test]
    public async Task TheFirstRuleAnswersWithItsStatusAndTheConnectionGoesOn()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, With(
            ("dry", new() { Paths = ["/a*"], DryRun = true }), ("first", new() { Paths = ["/a*"], Status = 404 }), ("second", new() { Paths = ["/a*"], Status = 410 })));
        using RawClient client = await proxy.ConnectAsync(Token);
        for (int request = 0; request < 2; request++)
        {
            await client.SendAsync("GET /a HTTP/1.1\r\nHost: h\r\n\r\n", Token);
            Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 404 ").And.Not.Contain("Connection: close"));
            Completion completion = await proxy.Completions.NextAsync(Token);
            Assert.That((completion.Reason, completion.Status, completion.RefusedBy, completion.DryRunReason, completion.DryRunPolicy), Is.EqualTo((EndReason.RequestBlocked, 404, "first", EndReason.RequestBlocked, "dry")));
        }
    }

    [TestCase("127.0.0.2", "", true)]
    [TestCase("127.0.0.3", "", false)]
    [TestCase("127.0.0.1", "X-Forwarded-For: 192.0.2.1\r\n", true)]
    [TestCase("127.0.0.1", "X-Forwarded-For: 192.0.3.1\r\n", false)]
    [TestCase("127.0.0.3", "X-Forwarded-For: 192.0.2.1\r\n", false, Description = "nobody believes it")]
    public async Task ARuleMayBeForTheClientsOfAList(string from, string fields, bool isBlocked)
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, config => With(("r", new() { Addresses = ["bad"], Paths = ["/a"] }))(Listener(listener => listener with { TrustedProxies = ["127.0.0.1"] })(config)));
        using RawClient client = await proxy.ConnectAsync(Token, from);
        foreach (string path in new[] { "/a", "/b" })
        {
            await client.SendAsync($"GET {path} HTTP/1.1\r\nHost: h\r\n{fields}\r\n", Token);
            Assert.That(await client.ReadResponseAsync(Token), Does.StartWith(isBlocked && path == "/a" ? "HTTP/1.1 403 " : "HTTP/1.1 200 "));
        }
    }

    [Test]
    public async Task ARuleMayBeForOneListener()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, config => With(("r", new() { Listeners = ["other"], Paths = ["/a"] }))(config with
        {
            Listeners = new Dictionary<string, ListenerConfig> { ["main"] = config.Listeners["main"], ["other"] = config.Listeners["main"] },
        }));
        foreach ((string listener, string status) in new[] { ("main", "200"), ("other", "403") })
        {
            using RawClient client = await RawClient.ConnectAsync(proxy.Server.Endpoints[listener], Token);
            await client.SendAsync("GET /a HTTP/1.1\r\nHost: h\r\n\r\n", Token);
            Assert.That(await client.ReadResponseAsync(Token), Does.StartWith($"HTTP/1.1 {status} "));
        }
    }

    [Test]
    public async Task AChallengeOfAnAuthorityIsAnsweredAllTheSame()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, With(("r", new() { Paths = ["*"] })));
        proxy.Server.Challenges.TryAddHttp("token", "answer"u8.ToArray());
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("GET /.well-known/acme-challenge/token HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 200 ").And.EndsWith("answer"));
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 403 "));
    }
}
