using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Protection.Limits;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>Limits of rates: what is counted together, when a client may come again, and what it is told.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(30_000)]
public sealed class LimitTests(TransportKind transport) : FleetTests(transport)
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    private async Task<ProxyFixture> StartAsync(ScriptedOrigin origin, Dictionary<string, LimitConfig> limits, Dictionary<string, RouteConfig>? routes = null)
    {
        ProxyConfig config = ProxyFixture.Config(Transport, origin.Address);
        return await ProxyFixture.StartAsync(config with
        {
            Listeners = new Dictionary<string, ListenerConfig> { ["main"] = config.Listeners["main"] with { TrustedProxies = ["127.0.0.0/8", "10.0.0.0/8"], Limits = new() { RequestsPerConnectionMax = 0 } } },
            Limits = limits,
            Routes = routes ?? new Dictionary<string, RouteConfig> { ["all"] = new() { Cluster = "app", Limits = limits.Keys.ToDictionary(name => name, _ => 1) } },
        }, Time);
    }

    private static async Task<string> GetAsync(RawClient client, string target = "/", string fields = "", string method = "GET", string host = "h")
    {
        await client.SendAsync($"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n", Token);
        return await client.ReadResponseAsync(Token);
    }

    private static string StatusOf(string response) => response.Split(' ')[1];

    /// <summary>The value of a field; null when there is none.</summary>
    private static string? Field(string response, string name) =>
        response.Split("\r\n").Where(line => line.StartsWith(name + ": ", StringComparison.OrdinalIgnoreCase)).Select(line => line[(name.Length + 2)..]).SingleOrDefault();

    [Test]
    public async Task WhatIsBeyondTheBurstIs429UntilRetryAfterHasPassed()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, new() { ["per-client"] = new() { Rate = "6/m", Burst = 3, Key = ["ip"] } });
        using RawClient client = await proxy.ConnectAsync(Token);
        foreach ((int remaining, int reset) in new[] { (2, 10), (1, 20), (0, 30) })
        {
            string allowed = await GetAsync(client);
            Assert.That((StatusOf(allowed), Field(allowed, "RateLimit-Policy"), Field(allowed, "RateLimit"), Field(allowed, "Retry-After")),
                Is.EqualTo(("200", "\"per-client\";q=6;w=60", $"\"per-client\";r={remaining};t={reset}", (string?)null)));
            Assert.That((await proxy.Completions.NextAsync(Token)).RefusedBy, Is.Null);
        }
        string refused = await GetAsync(client);
        Assert.That((StatusOf(refused), Field(refused, "RateLimit-Policy"), Field(refused, "RateLimit"), Field(refused, "Retry-After")),
            Is.EqualTo(("429", "\"per-client\";q=6;w=60", "\"per-client\";r=0;t=30", "10")));
        Assert.That(refused, Does.StartWith("HTTP/1.1 429 Too Many Requests\r\n").And.EndWith("\r\n\r\n429 Too Many Requests\n"));
        Completion completion = await proxy.Completions.NextAsync(Token);
        Assert.That((completion.Reason, completion.Status, completion.RefusedBy, completion.Attempts), Is.EqualTo((EndReason.RateLimited, 429, "per-client", 0)));

        Time.Advance(TimeSpan.FromSeconds(10) - TimeSpan.FromTicks(1));
        Assert.That(Field(await GetAsync(client), "Retry-After"), Is.EqualTo("1"), "a moment too early");
        Time.Advance(TimeSpan.FromTicks(1));
        Assert.That(StatusOf(await GetAsync(client)), Is.EqualTo("200"), "exactly then");
        Assert.That(StatusOf(await GetAsync(client)), Is.EqualTo("429"));
        Limiter limiter = proxy.Server.Snapshot.Limiters[0];
        Assert.That((limiter.AllowedTotal, limiter.RefusedTotal), Is.EqualTo((4, 3)));
    }

    [Test]
    public async Task ASlidingWindowLetsTheQuotaThroughInAnyWindow()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, new() { ["w"] = new() { Rate = "4/10s", Algorithm = LimitAlgorithm.SlidingWindow, Status = 420 } });
        using RawClient client = await proxy.ConnectAsync(Token);
        Assert.That(Field(await GetAsync(client), "RateLimit"), Is.EqualTo("\"w\";r=3;t=20"));
        for (int i = 0; i < 3; i++) Assert.That(StatusOf(await GetAsync(client)), Is.EqualTo("200"));
        Time.Advance(TimeSpan.FromSeconds(8));
        string refused = await GetAsync(client);
        Assert.That(StatusOf(refused), Is.EqualTo("420"));
        int retryAfter = int.Parse(Field(refused, "Retry-After")!, null);
        Time.Advance(TimeSpan.FromSeconds(retryAfter - 1));
        Assert.That(StatusOf(await GetAsync(client)), Is.EqualTo("420"), "a second too early");
        Time.Advance(TimeSpan.FromSeconds(1));
        Assert.That(StatusOf(await GetAsync(client)), Is.EqualTo("200"));
    }

    // Pairs of requests: which of their differences make another key.
    [TestCase("ip", "X-Forwarded-For: 192.0.2.1\r\n", "X-Forwarded-For: 192.0.2.2\r\n", true)]
    [TestCase("ip", "X-Forwarded-For: 192.0.2.1\r\n", "X-Forwarded-For: 8.8.8.8, 192.0.2.1, 10.1.1.1\r\n", false)]
    [TestCase("ip", "X-Forwarded-For: 192.0.2.1:1000\r\n", "X-Forwarded-For: 9.9.9.9\r\nX-Forwarded-For: 192.0.2.1:2000\r\n", false)]
    [TestCase("ip", "Forwarded: for=192.0.2.1;proto=http\r\n", "Forwarded: for=\"192.0.2.1:80\"\r\n", false)]
    [TestCase("ip", "Forwarded: for=192.0.2.1\r\n", "Forwarded: for=192.0.2.1, For=\"[2001:db8::1]:80\";by=10.0.0.1\r\n", true)]
    [TestCase("ip", "X-Forwarded-For: unknown\r\n", "X-Forwarded-For: 192.0.2.9, nonsense\r\n", false)]
    [TestCase("ip", "X-Forwarded-For: unknown\r\n", "", false)]
    [TestCase("ip", "X-Forwarded-For: 2001:db8::1\r\n", "X-Forwarded-For: 2001:db8::2\r\n", false)]
    [TestCase("ip", "X-Forwarded-For: 2001:db8::1\r\n", "X-Forwarded-For: [2001:db8:0:1::1]\r\n", true)]
    [TestCase("ip/24", "X-Forwarded-For: 192.0.2.1\r\n", "X-Forwarded-For: 192.0.2.250\r\n", false)]
    [TestCase("ip/24", "X-Forwarded-For: 192.0.2.1\r\n", "X-Forwarded-For: 192.0.3.1\r\n", true)]
    [TestCase("ip/32,48", "X-Forwarded-For: 2001:db8::1\r\n", "X-Forwarded-For: 2001:db8:0:ffff::1\r\n", false)]
    [TestCase("ip/32,48", "X-Forwarded-For: 2001:db8::1\r\n", "X-Forwarded-For: 2001:db8:1::1\r\n", true)]
    [TestCase("header:X-Key", "x-key: a\r\n", "X-KEY: b\r\n", true)]
    [TestCase("header:X-Key", "x-key: a\r\n", "X-KEY: a\r\nOther: c\r\n", false)]
    [TestCase("header:X-Key", "", "X-Key:\r\n", false)]
    [TestCase("header:X-Key", "X-Key: a\r\nX-Key: b\r\n", "X-Key: a\r\nX-Key: c\r\n", false)]
    [TestCase("header:X-Key", "X-Key: a\r\nX-Key: b\r\n", "X-Key: a\r\n", true)]
    [TestCase("cookie:s", "Cookie: s=1; t=2\r\n", "Cookie: t=3; s=1\r\n", false)]
    [TestCase("cookie:s", "Cookie: s=1\r\n", "Cookie: s=2\r\n", true)]
    [TestCase("cookie:s", "Cookie: S=1\r\n", "Cookie: ss=2\r\n", false)]
    [TestCase("cookie:s", "Cookie: s=1; s=2\r\n", "Cookie: s=1\r\nCookie: s=3\r\n", false)]
    [TestCase("method", "", "", false)]
    public async Task OnlyWhatDiffersInThePartsOfTheKeyIsCountedByItself(string key, string first, string second, bool isOther)
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, new() { ["one"] = new() { Rate = "1/h", Key = [key] } });
        using RawClient client = await proxy.ConnectAsync(Token);
        Assert.That(StatusOf(await GetAsync(client, fields: first)), Is.EqualTo("200"));
        Assert.That(StatusOf(await GetAsync(client, fields: second)), Is.EqualTo(isOther ? "200" : "429"));
        Assert.That(StatusOf(await GetAsync(client, fields: first)), Is.EqualTo("429"));
    }

    [TestCase("path", "/a", "/b", "GET", "h", true)]
    [TestCase("path", "/a?x=1", "/a?x=2", "GET", "h", false)]
    [TestCase("path", "/a", "/b/../%61", "GET", "h", false)]
    [TestCase("host", "/", "/", "GET", "other.example", true)]
    [TestCase("host", "/", "/", "GET", "H:8080", false)]
    [TestCase("method", "/", "/", "PUT", "h", true)]
    [TestCase("method", "/", "/x", "GET", "i", false)]
    [TestCase("route", "/one/a", "/one/b", "GET", "h", false)]
    [TestCase("route", "/one/a", "/two/a", "GET", "h", true)]
    [TestCase("", "/one/a", "/two/a", "PUT", "i", false)]
    public async Task PartsOfTheRequestLineMakeKeysToo(string key, string first, string second, string method, string host, bool isOther)
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        var route = new RouteConfig { Cluster = "app", Limits = new Dictionary<string, int> { ["one"] = 1 } };
        await using ProxyFixture proxy = await StartAsync(origin, new() { ["one"] = new() { Rate = "1/h", Key = key.Length == 0 ? [] : [key] } },
            new() { ["all"] = route, ["one"] = route with { Path = "/one/**" }, ["two"] = route with { Path = "/two/**" } });
        using RawClient client = await proxy.ConnectAsync(Token);
        Assert.That(StatusOf(await GetAsync(client, first)), Is.EqualTo("200"));
        Assert.That(StatusOf(await GetAsync(client, second, method: method, host: host)), Is.EqualTo(isOther ? "200" : "429"));
        Assert.That(StatusOf(await GetAsync(client, first)), Is.EqualTo("429"));
    }

    [Test]
    public async Task AllPartsMakeTheKeyTogether()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, new() { ["one"] = new() { Rate = "1/h", Key = ["header:a", "header:b"] } });
        using RawClient client = await proxy.ConnectAsync(Token);
        foreach ((string a, string b, string status) in new[] { ("1", "1", "200"), ("1", "2", "200"), ("2", "1", "200"), ("11", "", "200"), ("1", "1", "429"), ("2", "1", "429"), ("", "11", "200") })
            Assert.That(StatusOf(await GetAsync(client, fields: $"A: {a}\r\nB: {b}\r\n")), Is.EqualTo(status), $"{a} and {b}");
    }

    [Test]
    public async Task ARequestWithoutAPartIsNotLimitedWhereThatIsSaid()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, new() { ["one"] = new() { Rate = "1/h", Key = ["ip", "header:X-Key"], SkipIfMissing = true } });
        using RawClient client = await proxy.ConnectAsync(Token);
        for (int i = 0; i < 3; i++)
        {
            string free = await GetAsync(client);
            Assert.That((StatusOf(free), Field(free, "RateLimit")), Is.EqualTo(("200", (string?)null)));
        }
        Assert.That(StatusOf(await GetAsync(client, fields: "X-Key: a\r\n")), Is.EqualTo("200"));
        Assert.That(StatusOf(await GetAsync(client, fields: "X-Key: a\r\n")), Is.EqualTo("429"));
    }

    [Test]
    public async Task TheClaimsOfAPeerThatIsNotTrustedMakeNoOtherKey()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        ProxyConfig config = ProxyFixture.Config(Transport, origin.Address);
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config with
        {
            Limits = new Dictionary<string, LimitConfig> { ["one"] = new() { Rate = "1/h", Key = ["ip"] } },
            Routes = new Dictionary<string, RouteConfig> { ["all"] = new() { Cluster = "app", Limits = new Dictionary<string, int> { ["one"] = 1 } } },
        }, Time);
        using RawClient client = await proxy.ConnectAsync(Token);
        Assert.That(StatusOf(await GetAsync(client, fields: "X-Forwarded-For: 192.0.2.1\r\n")), Is.EqualTo("200"));
        Assert.That(StatusOf(await GetAsync(client, fields: "X-Forwarded-For: 192.0.2.2\r\n")), Is.EqualTo("429"));
    }

    [Test]
    public async Task RoutesThatNameALimitShareItAndHaveTheirOwnCosts()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, new() { ["all"] = new() { Rate = "10/m", Burst = 10 } }, new()
        {
            ["cheap"] = new() { Cluster = "app", Limits = new Dictionary<string, int> { ["all"] = 1 } },
            ["dear"] = new() { Path = "/dear", Cluster = "app", Limits = new Dictionary<string, int> { ["all"] = 6 } },
            ["free"] = new() { Path = "/free", Cluster = "app" },
            ["own"] = new() { Path = "/own", Respond = new() { Body = "own" }, Limits = new Dictionary<string, int> { ["all"] = 1 } },
        });
        using RawClient client = await proxy.ConnectAsync(Token);
        foreach ((string target, string status, string? remaining) in new[] { ("/dear", "200", "4"), ("/", "200", "3"), ("/dear", "429", "3"), ("/own", "200", "2"), ("/free", "200", null), ("/", "200", "1") })
        {
            string answer = await GetAsync(client, target);
            Assert.That((StatusOf(answer), Field(answer, "RateLimit")?.Split(';')[1]), Is.EqualTo((status, remaining is null ? null : $"r={remaining}")), target);
        }
    }

    [Test]
    public async Task WhatOneLimitRefusesCostsNothingWithTheOthers()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, new() { ["wide"] = new() { Rate = "5/m", Burst = 5 }, ["narrow"] = new() { Rate = "1/h", Key = ["path"] }, ["hidden"] = new() { Rate = "9/s", Headers = false } });
        using RawClient client = await proxy.ConnectAsync(Token);
        string first = await GetAsync(client, "/a");
        Assert.That((Field(first, "RateLimit-Policy"), Field(first, "RateLimit")), Is.EqualTo(("\"wide\";q=5;w=60, \"narrow\";q=1;w=3600", "\"wide\";r=4;t=12, \"narrow\";r=0;t=3600")));
        for (int i = 0; i < 10; i++)
        {
            string refused = await GetAsync(client, "/a");
            Assert.That((StatusOf(refused), Field(refused, "RateLimit"), Field(refused, "Retry-After")), Is.EqualTo(("429", "\"narrow\";r=0;t=3600", "3600")));
        }
        Assert.That(Field(await GetAsync(client, "/b"), "RateLimit"), Does.StartWith("\"wide\";r=3;"));
    }

    [Test]
    public async Task ADryRunOnlySaysWhatItWouldRefuse()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, new() { ["trial"] = new() { Rate = "1/h", DryRun = true }, ["places"] = new() { Concurrency = 1, DryRun = true } });
        using RawClient client = await proxy.ConnectAsync(Token);
        foreach (bool isOver in new[] { false, true, true })
        {
            string answer = await GetAsync(client);
            Assert.That((StatusOf(answer), Field(answer, "RateLimit"), Field(answer, "RateLimit-Policy")), Is.EqualTo(("200", (string?)null, (string?)null)));
            Completion completion = await proxy.Completions.NextAsync(Token);
            Assert.That((completion.Reason, completion.RefusedBy, completion.DryRunReason, completion.DryRunPolicy),
                Is.EqualTo((EndReason.Completed, (string?)null, isOver ? EndReason.RateLimited : EndReason.None, isOver ? "trial" : null)));
        }
        Assert.That((proxy.Server.Snapshot.Limiters[0].AllowedTotal, proxy.Server.Snapshot.Limiters[0].RefusedTotal), Is.EqualTo((1, 2)));
    }

    [Test]
    public async Task TheDestinationsOwnFieldsPassWhereThereAreNoneOfOurs()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering("HTTP/1.1 200 OK\r\nRateLimit: \"theirs\";r=1\r\nratelimit-policy: \"theirs\";q=1\r\nX-RateLimit-Limit: 7\r\nContent-Length: 2\r\n\r\nok");
        var limited = new RouteConfig { Cluster = "app", Limits = new Dictionary<string, int> { ["ours"] = 1 } };
        await using ProxyFixture proxy = await StartAsync(origin, new() { ["ours"] = new() { Rate = "9/s" } }, new() { ["all"] = new() { Cluster = "app" }, ["limited"] = limited with { Path = "/limited" } });
        using RawClient client = await proxy.ConnectAsync(Token);
        string theirs = await GetAsync(client), ours = await GetAsync(client, "/limited");
        Assert.That((Field(theirs, "RateLimit"), Field(theirs, "RateLimit-Policy")), Is.EqualTo(("\"theirs\";r=1", "\"theirs\";q=1")));
        Assert.That((Field(ours, "RateLimit"), Field(ours, "RateLimit-Policy")), Is.EqualTo(("\"ours\";r=8;t=1", "\"ours\";q=9;w=1")));
        Assert.That((Field(theirs, "X-RateLimit-Limit"), Field(ours, "X-RateLimit-Limit")), Is.EqualTo(("7", "7")));
    }

    [Test]
    public async Task PipelinedRequestsEachGetTheirAnswer()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, new() { ["one"] = new() { Rate = "2/m", Burst = 2, Key = ["path"] } });
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(string.Concat(new[] { "/a", "/a", "/a", "/b", "/a", "/b", "/b" }.Select(target => $"POST {target} HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody")), Token);
        foreach (string status in new[] { "200", "200", "429", "200", "429", "200", "429" })
            Assert.That(StatusOf(await client.ReadResponseAsync(Token)), Is.EqualTo(status));
    }

    // A body that is still to come is in the way of the next request.
    [Test]
    public async Task ARefusedRequestWhoseBodyHasNotComeEndsTheConnection()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, new() { ["one"] = new() { Rate = "1/h" } });
        using RawClient client = await proxy.ConnectAsync(Token);
        await GetAsync(client);
        string refused = await GetAsync(client, method: "POST", fields: "Content-Length: 100\r\nExpect: 100-continue\r\n");
        Assert.That((StatusOf(refused), Field(refused, "Connection")), Is.EqualTo(("429", "close")));
    }

    [Test]
    public async Task AHundredThousandKeysLeaveALimitedOneLimited()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        var route = new RouteConfig { Respond = new() { Status = 204 }, Limits = new Dictionary<string, int> { ["one"] = 1 } };
        await using ProxyFixture proxy = await StartAsync(origin, new() { ["one"] = new() { Rate = "5/h", Burst = 5, Key = ["header:X-Key"], KeysMax = 4096 } }, new() { ["all"] = route });
        using RawClient client = await proxy.ConnectAsync(Token);
        for (int i = 0; i < 5; i++) await GetAsync(client, fields: "X-Key: legitimate\r\n");
        const int Keys = 100_000, Batch = 500;
        for (int from = 0; from < Keys; from += Batch)
        {
            await client.SendAsync(string.Concat(Enumerable.Range(from, Batch).Select(i => $"GET / HTTP/1.1\r\nHost: h\r\nX-Key: {i}\r\n\r\n")), Token);
            for (int i = 0; i < Batch; i++) Assert.That(StatusOf(await client.ReadResponseAsync(Token)), Is.EqualTo("204"));
        }
        Assert.That(StatusOf(await GetAsync(client, fields: "X-Key: legitimate\r\n")), Is.EqualTo("429"));
        Assert.That(proxy.Server.Snapshot.Limiters[0].Rate!.Capacity, Is.EqualTo(4096));
    }
}
