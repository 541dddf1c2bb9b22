using System.Text.RegularExpressions;
using LoadBalancer.Balancing;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>Sticky sessions: who answers a request with a cookie, and when a cookie is set.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(30_000)]
public sealed partial class StickyTests(TransportKind transport)
{
    private const string Key = "a key of a good length", OtherKey = "another key, not that one";

    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    private static readonly StickyConfig Config = new() { Cookie = "lb", Keys = [Key] };

    [SetUp]
    public void SkipWhereUnsupported() => Transports.Require(transport);

    [Test]
    public async Task ACookieIsSetOnceAndLeadsBack()
    {
        await using Fleet fleet = await StartAsync(Config, 3);
        (string name, string? cookie) = await fleet.AskAsync();
        Assert.That(cookie, Is.Not.Null);
        for (int i = 0; i < 10; i++) Assert.That(await fleet.AskAsync($"a=b; lb={cookie}; c=d"), Is.EqualTo((name, (string?)null)));
    }

    [Test]
    public async Task ClientsWithoutCookieAreSpreadAndEachDestinationHasItsOwn()
    {
        await using Fleet fleet = await StartAsync(Config, 3);
        var cookies = new Dictionary<string, HashSet<string>>();
        for (int i = 0; i < 9; i++)
        {
            (string name, string? cookie) = await fleet.AskAsync();
            (cookies.TryGetValue(name, out HashSet<string>? known) ? known : cookies[name] = []).Add(cookie!);
        }
        Assert.That(cookies.Keys, Is.EquivalentTo(["d0", "d1", "d2"]));
        Assert.That(cookies.Values.Select(values => values.Count), Is.All.EqualTo(1));
    }

    [Test]
    public async Task TheCookieHasItsAttributesAndTellsNoAddress()
    {
        await using Fleet fleet = await StartAsync(Config with { Path = "/shop", MaxAge = TimeSpan.FromHours(1), Secure = true, SameSite = StickySameSite.None }, 1);
        string head = await fleet.HeadAsync("");
        Assert.That(head, Does.Match(@"\r\nSet-Cookie: lb=[\w-]{32}; Path=/shop; HttpOnly; Max-Age=3600; Secure; SameSite=None\r\n"));
        Assert.That(head, Does.Not.Contain(fleet.Origins[0].Address.Split(':')[1]));
    }

    [TestCase("lb=")]
    [TestCase("lb")]
    [TestCase("lb=x")]
    [TestCase("lb=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [TestCase("lb=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [TestCase("lb=\u00ff\u00ff\u00ffAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [TestCase("LB=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [TestCase(";;; ;=;==;lb;lb==")]
    public async Task AnythingElseIsIgnoredAndReplaced(string cookies)
    {
        await using Fleet fleet = await StartAsync(Config, 2);
        Assert.That((await fleet.AskAsync(cookies)).Cookie, Is.Not.Null);
    }

    [Test]
    public async Task AForgedCookieIsIgnoredAndReplaced()
    {
        await using Fleet fleet = await StartAsync(Config, 1);
        string cookie = (await fleet.AskAsync()).Cookie!;
        for (int i = 0; i < cookie.Length; i++)
        {
            string forged = cookie[..i] + (cookie[i] == 'A' ? 'B' : 'A') + cookie[(i + 1)..];
            Assert.That((await fleet.AskAsync($"lb={forged}")).Cookie, Is.EqualTo(cookie), forged);
        }
        Assert.That((await fleet.AskAsync($"lb=x; lb={cookie}")).Cookie, Is.Null, "one of several is valid");
        Assert.That((await fleet.AskAsync($"other={cookie}")).Cookie, Is.EqualTo(cookie));
    }

    [Test]
    public async Task ACookieOutlivesChangesOfTheListAndTheBalancer()
    {
        await using Fleet fleet = await StartAsync(Config, 3);
        string cookie = await fleet.CookieOfAsync("d1");
        fleet.Update("d2", "d1");
        Assert.That(await fleet.AskAsync($"lb={cookie}"), Is.EqualTo(("d1", (string?)null)));
        await fleet.RestartAsync(Config);
        Assert.That(await fleet.AskAsync($"lb={cookie}"), Is.EqualTo(("d1", (string?)null)));
        fleet.Update("d0", "d2");
        (string name, string? replaced) = await fleet.AskAsync($"lb={cookie}");
        Assert.That(name, Is.Not.EqualTo("d1"));
        Assert.That(replaced, Is.Not.Null.And.Not.EqualTo(cookie));
    }

    [Test]
    public async Task KeysAreRotated()
    {
        await using Fleet fleet = await StartAsync(Config, 3);
        string old = await fleet.CookieOfAsync("d1");
        await fleet.RestartAsync(Config with { Keys = [OtherKey, Key] });
        (string name, string? renewed) = await fleet.AskAsync($"lb={old}");
        Assert.That(name, Is.EqualTo("d1"));
        Assert.That(renewed, Is.Not.Null.And.Not.EqualTo(old), "signed anew");
        await fleet.RestartAsync(Config with { Keys = [OtherKey] });
        Assert.That(await fleet.AskAsync($"lb={renewed}"), Is.EqualTo(("d1", (string?)null)));
        Assert.That((await fleet.AskAsync($"lb={old}")).Cookie, Is.Not.Null, "of a key that is gone");
    }

    [Test]
    public async Task WithoutKeyItLastsAsLongAsTheProcess()
    {
        await using Fleet fleet = await StartAsync(Config with { Keys = [] }, 2);
        string cookie = await fleet.CookieOfAsync("d1");
        Assert.That(await fleet.AskAsync($"lb={cookie}"), Is.EqualTo(("d1", (string?)null)));
        await fleet.RestartAsync(Config);
        Assert.That((await fleet.AskAsync($"lb={cookie}")).Cookie, Is.Not.Null, "signed by another key");
    }

    [Test]
    public async Task AnotherClustersCookieIsForeign()
    {
        await using Fleet fleet = await StartAsync(Config, 1, "one"), other = await StartAsync(Config, 1, "two");
        string cookie = (await fleet.AskAsync()).Cookie!;
        Assert.That((await other.AskAsync($"lb={cookie}")).Cookie, Is.Not.Null);
    }

    [Test]
    public async Task ADestinationThatDrainsKeepsItsSessionsAndGetsNoNewOnes()
    {
        await using Fleet fleet = await StartAsync(Config, 2);
        string cookie = await fleet.CookieOfAsync("d1");
        fleet.Mark("d1", DestinationStatus.Draining);
        for (int i = 0; i < 4; i++)
        {
            Assert.That(await fleet.AskAsync($"lb={cookie}"), Is.EqualTo(("d1", (string?)null)));
            Assert.That((await fleet.AskAsync()).Name, Is.EqualTo("d0"));
        }
    }

    [TestCase(DestinationStatus.Unhealthy)]
    [TestCase(DestinationStatus.Ejected)]
    [TestCase(DestinationStatus.Unhealthy | DestinationStatus.Draining)]
    public async Task ADestinationThatIsOutLosesItsSessions(DestinationStatus status)
    {
        await using Fleet fleet = await StartAsync(Config, 2);
        string cookie = await fleet.CookieOfAsync("d1");
        fleet.Mark("d1", status);
        (string name, string? moved) = await fleet.AskAsync($"lb={cookie}");
        Assert.That((name, moved is null), Is.EqualTo(("d0", false)));
        fleet.Mark("d1", status, hold: false);
        Assert.That((await fleet.AskAsync($"lb={moved}")).Name, Is.EqualTo("d0"), "and has moved for good");
    }

    [Test]
    public async Task ADestinationThatIsGoneIsReplacedInTheSameRequest()
    {
        await using Fleet fleet = await StartAsync(Config, 2);
        string cookie = await fleet.CookieOfAsync("d1");
        await fleet.KillAsync(1);
        (string name, string? moved) = await fleet.AskAsync($"lb={cookie}");
        Assert.That((name, moved is null), Is.EqualTo(("d0", false)));
    }

    // A kept connection that the destination has closed says nothing against it.
    [Test]
    public async Task ABrokenKeptConnectionLosesNoSession()
    {
        await using Fleet fleet = await StartAsync(Config, 4, closes: true);
        string cookie = await fleet.CookieOfAsync("d1");
        for (int i = 0; i < 8; i++) Assert.That(await fleet.AskAsync($"lb={cookie}"), Is.EqualTo(("d1", (string?)null)));
    }

    [Test]
    public async Task AnswersOfOurOwnAndInterimOnesSetNoCookie()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering("HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n");
        ProxyConfig config = ProxyFixture.Config(transport, origin.Address);
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(With(config, config.Clusters["app"] with { Sticky = Config }));
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        Assert.That(await client.ReadUntilAsync("\r\n\r\n", Token), Does.StartWith("HTTP/1.1 103 ").And.Not.Contains("Set-Cookie"));
        Assert.That(await client.ReadUntilAsync("\r\n\r\n", Token), Does.StartWith("HTTP/1.1 204 ").And.Contains("Set-Cookie"));
        proxy.Server.UpdateDestinations("app", new Dictionary<string, DestinationConfig>());
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 503 ").And.Not.Contains("Set-Cookie"));
    }

    // The next request of the page that opened it should meet the same destination.
    [Test]
    public async Task AnUpgradeSetsTheCookieToo()
    {
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            await c.SendAsync("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n", t);
            await c.ReadToEndAsync(t);
        });
        ProxyConfig config = ProxyFixture.Config(transport, origin.Address);
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(With(config, config.Clusters["app"] with { Sticky = Config }));
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n", Token);
        Assert.That(await client.ReadUntilAsync("\r\n\r\n", Token), Does.StartWith("HTTP/1.1 101 ").And.Contains("\r\nSet-Cookie: lb="));
    }

    private static ProxyConfig With(ProxyConfig config, ClusterConfig cluster, string name = "app") => config with
    {
        Routes = new Dictionary<string, RouteConfig> { ["all"] = new() { Cluster = name } },
        Clusters = new Dictionary<string, ClusterConfig> { [name] = cluster },
    };

    private async Task<Fleet> StartAsync(StickyConfig sticky, int origins, string cluster = "app", bool closes = false)
    {
        var fleet = new Fleet(transport, cluster, origins, closes);
        await fleet.RestartAsync(sticky);
        return fleet;
    }

    [GeneratedRegex(@"\r\nSet-Cookie: lb=([\w-]+); Path=/; HttpOnly\r\n")]
    private static partial Regex SetCookie();

    // Destinations that say their names, and a balancer before them that can be started anew.
    private sealed class Fleet(TransportKind transport, string cluster, int origins, bool closes) : IAsyncDisposable
    {
        private readonly HashSet<ScriptedOrigin> _gone = [];
        private ProxyFixture? _proxy;
        private RawClient? _client;

        internal ScriptedOrigin[] Origins { get; } = [.. Enumerable.Range(0, origins).Select(i => Named($"d{i}", closes))];

        // One that closes does so when the second request comes.
        private static ScriptedOrigin Named(string name, bool closes) => new(async (connection, number, token) =>
        {
            for (int request = 0; request < 1 || !closes; request++)
            {
                await connection.ReadUntilAsync("\r\n\r\n", token);
                await connection.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {name.Length}\r\n\r\n{name}", token);
            }
            await connection.ReadUntilAsync("\r\n\r\n", token);
        });

        internal async Task RestartAsync(StickyConfig sticky)
        {
            await StopAsync();
            ProxyConfig config = ProxyFixture.Config(transport, [.. Origins.Select(o => o.Address)]);
            _proxy = await ProxyFixture.StartAsync(With(config, config.Clusters["app"] with { Balance = "round-robin", Sticky = sticky }, cluster));
            _client = await _proxy.ConnectAsync(Token);
        }

        internal async Task KillAsync(int origin)
        {
            _gone.Add(Origins[origin]);
            await Origins[origin].DisposeAsync();
        }

        internal void Update(params string[] names) => _proxy!.Server.UpdateDestinations(cluster,
            names.ToDictionary(name => name, name => new DestinationConfig { Address = Origins[name[1] - '0'].Address }));

        internal void Mark(string name, DestinationStatus status, bool hold = true)
        {
            Scheduler scheduler = _proxy!.Server.Snapshot.Clusters[0].Scheduler;
            scheduler.Mark(scheduler.Destinations.Single(d => d.Identity.StartsWith(name, StringComparison.Ordinal)), status, hold, 0);
        }

        internal async Task<string> HeadAsync(string cookies)
        {
            await _client!.SendAsync($"GET / HTTP/1.1\r\nHost: h\r\n{(cookies.Length == 0 ? "" : $"Cookie: {cookies}\r\n")}\r\n", Token);
            return await _client.ReadResponseAsync(Token);
        }

        internal async Task<(string Name, string? Cookie)> AskAsync(string cookies = "")
        {
            string response = await HeadAsync(cookies);
            return (response[(response.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..], SetCookie().Match(response) is { Success: true } match ? match.Groups[1].Value : null);
        }

        internal async Task<string> CookieOfAsync(string name)
        {
            while (true)
            {
                (string answering, string? cookie) = await AskAsync();
                if (answering == name) return cookie!;
            }
        }

        private async Task StopAsync()
        {
            _client?.Dispose();
            if (_proxy is not null) await _proxy.DisposeAsync();
        }

        public async ValueTask DisposeAsync()
        {
            await StopAsync();
            foreach (ScriptedOrigin origin in Origins.Except(_gone)) await origin.DisposeAsync();
        }
    }
}
