using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Forwarding;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>
/// Requests sent to a second destination while the first is silent. Every request goes to d0 first; time moves only when told to. The fixture
/// asserts at its end that no pick, connection or buffer was left behind.
/// </summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(30_000)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class HedgeTests(TransportKind transport) : IAsyncDisposable
{
    private const string Get = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";

    private readonly FakeTimeProvider _time = new();
    private readonly HeldOrigin _first = new(), _second = new();

    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SkipWhereUnsupported() => Transports.Require(transport);

    public async ValueTask DisposeAsync()
    {
        await _first.DisposeAsync();
        await _second.DisposeAsync();
    }

    private Task<ProxyFixture> StartAsync(Func<ClusterConfig, ClusterConfig>? change = null, RouteConfig? route = null)
    {
        ProxyConfig config = ProxyFixture.Config(transport, _first.Address, _second.Address);
        ClusterConfig cluster = config.Clusters["app"] with { Balance = "first", Hedge = new() { After = "200ms", PercentMax = 100 }, RetriesMax = 0 };
        return ProxyFixture.StartAsync(config with
        {
            Clusters = new Dictionary<string, ClusterConfig> { ["app"] = change is null ? cluster : change(cluster) },
            Routes = new Dictionary<string, RouteConfig> { ["all"] = (route ?? new()) with { Cluster = "app" } },
        }, _time);
    }

    private static HedgePolicy PolicyOf(ProxyFixture proxy) => proxy.Server.Snapshot.Clusters[0].Hedging!;

    // A client whose request both destinations hold.
    private async Task<RawClient> HedgedAsync(ProxyFixture proxy, string request = Get)
    {
        RawClient client = await proxy.ConnectAsync(Token);
        await HedgeAsync(proxy, client, request);
        return client;
    }

    private async Task HedgeAsync(ProxyFixture proxy, RawClient client, string request = Get)
    {
        await client.SendAsync(request, Token);
        await _first.ArrivedAsync(Token);
        await proxy.TurnAsync(Token); // the delay begins in the turn in which the request was sent
        _time.Advance(TimeSpan.FromMilliseconds(250));
        await _second.ArrivedAsync(Token);
    }

    [TestCase("GET")]
    [TestCase("HEAD")]
    [TestCase("OPTIONS")]
    public async Task TheSecondDestinationAnswersWhereTheFirstIsSilent(string method)
    {
        await using ProxyFixture proxy = await StartAsync();
        using RawClient client = await HedgedAsync(proxy, $"{method} /a HTTP/1.1\r\nHost: h\r\n\r\n");
        _second.Answer(method == "HEAD" ? "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n" : HeldOrigin.Ok("two"));
        string answer = await client.ReadResponseAsync(Token, headOnly: method == "HEAD");
        Assert.That(answer, Does.StartWith("HTTP/1.1 200 ").And.EndsWith(method == "HEAD" ? "\r\n\r\n" : "two"));
        Assert.That(await _first.EndedAsync(Token), Is.EqualTo(StreamEnd.Reset));
        Completion completion = await proxy.Completions.NextAsync(Token);
        Assert.That((completion.Reason, completion.Destination, completion.Attempts), Is.EqualTo((EndReason.Completed, "d1", 1)));
        Assert.That((completion.IsHedged, completion.HasHedgeWon, completion.HedgeLoser), Is.EqualTo((true, true, "d0")));
        Assert.That((PolicyOf(proxy).SentCount, PolicyOf(proxy).WonCount, PolicyOf(proxy).DeniedCount), Is.EqualTo((1, 1, 0)));
    }

    [Test]
    public async Task TheFirstDestinationMayStillWin()
    {
        await using ProxyFixture proxy = await StartAsync();
        using RawClient client = await HedgedAsync(proxy);
        _first.Answer(HeldOrigin.Ok("one"));
        Assert.That(await client.ReadResponseAsync(Token), Does.EndWith("one"));
        Assert.That(await _second.EndedAsync(Token), Is.EqualTo(StreamEnd.Reset));
        Completion completion = await proxy.Completions.NextAsync(Token);
        Assert.That((completion.Destination, completion.IsHedged, completion.HasHedgeWon, completion.HedgeLoser), Is.EqualTo(("d0", true, false, "d1")));
        Assert.That((PolicyOf(proxy).SentCount, PolicyOf(proxy).WonCount), Is.EqualTo((1, 0)));
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task TheStickyCookieIsTheWinners(bool isHedge)
    {
        await using ProxyFixture proxy = await StartAsync(cluster => cluster with { Sticky = new() { Cookie = "lb", Keys = ["a key of a good length"] } });
        using RawClient client = await HedgedAsync(proxy);
        (isHedge ? _second : _first).Answer(HeldOrigin.Ok("won"));
        string cookie = (await client.ReadResponseAsync(Token)).Split("Set-Cookie: ")[1].Split(';')[0];
        await client.SendAsync($"GET /b HTTP/1.1\r\nHost: h\r\nCookie: {cookie}\r\n\r\n", Token);
        HeldOrigin winner = isHedge ? _second : _first;
        await winner.ArrivedAsync(Token);
        winner.Answer(HeldOrigin.Ok("again"));
        Assert.That(await client.ReadResponseAsync(Token), Does.EndWith("again").And.Not.Contain("Set-Cookie"));
    }

    [TestCase("a key of a good length")]
    [TestCase("a new key of a good length", Description = "the session's key is being rotated out")]
    public async Task ARequestOfASessionWaitsForTheDestinationThatHasIt(string key)
    {
        const string Old = "a key of a good length";
        string cookie;
        await using (ProxyFixture before = await StartAsync(cluster => cluster with { Sticky = new() { Cookie = "lb", Keys = [Old] } }))
        {
            using RawClient first = await before.ConnectAsync(Token);
            await first.SendAsync(Get, Token);
            await _first.ArrivedAsync(Token);
            _first.Answer(HeldOrigin.Ok("one"));
            cookie = (await first.ReadResponseAsync(Token)).Split("Set-Cookie: ")[1].Split(';')[0];
        }
        await using ProxyFixture proxy = await StartAsync(cluster => cluster with { Sticky = new() { Cookie = "lb", Keys = key == Old ? [Old] : [key, Old] } });
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync($"GET /b HTTP/1.1\r\nHost: h\r\nCookie: {cookie}\r\n\r\n", Token);
        await _first.ArrivedAsync(Token);
        await proxy.TurnAsync(Token);
        _time.Advance(TimeSpan.FromMilliseconds(250));
        await proxy.TurnAsync(Token);
        Assert.That(PolicyOf(proxy).SentCount, Is.Zero);
        _first.Answer(HeldOrigin.Ok("one"));
        Assert.That(await client.ReadResponseAsync(Token), Does.EndWith("one"));
    }

    [Test]
    public async Task TheWinnersConnectionIsKeptAndUsedAgain()
    {
        await using ProxyFixture proxy = await StartAsync();
        using RawClient client = await proxy.ConnectAsync(Token);
        for (int i = 0; i < 5; i++)
        {
            await HedgeAsync(proxy, client);
            _second.Answer(HeldOrigin.Ok($"two{i}"));
            Assert.That(await client.ReadResponseAsync(Token), Does.EndWith($"two{i}"));
            await _first.EndedAsync(Token);
            Assert.That((await proxy.Completions.NextAsync(Token)).Reused, Is.EqualTo(i > 0));
        }
        Assert.That((_first.Connections, _second.Connections), Is.EqualTo((5, 1)));
    }

    [Test]
    public async Task ALongAnswerIsRelayedFromTheSecondDestination()
    {
        await using ProxyFixture proxy = await StartAsync();
        using RawClient client = await HedgedAsync(proxy);
        string body = Origins.Pattern(300_000);
        _second.Answer(HeldOrigin.Ok(body));
        Assert.That(await client.ReadResponseAsync(Token), Does.EndWith("\r\n\r\n" + body));
    }

    [Test]
    public async Task NothingIsSentBeforeTheDelayIsOver()
    {
        await using ProxyFixture proxy = await StartAsync();
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(Get, Token);
        await _first.ArrivedAsync(Token);
        _time.Advance(TimeSpan.FromMilliseconds(150));
        await proxy.TurnAsync(Token);
        _first.Answer(HeldOrigin.Ok("one"));
        await client.ReadResponseAsync(Token);
        _time.Advance(TimeSpan.FromSeconds(1));
        await proxy.TurnAsync(Token);
        Assert.That(_second.Requests, Is.Zero);
        Assert.That((await proxy.Completions.NextAsync(Token)).IsHedged, Is.False);
    }

    [TestCase("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")]
    [TestCase("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")]
    [TestCase("DELETE / HTTP/1.1\r\nHost: h\r\n\r\n")]
    [TestCase("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx")]
    [TestCase("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")]
    public async Task OnlySafeRequestsWithoutABodyAreHedged(string request)
    {
        await using ProxyFixture proxy = await StartAsync();
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(request, Token);
        await AssertNotHedgedAsync(proxy, client);
    }

    private async Task AssertNotHedgedAsync(ProxyFixture proxy, RawClient client)
    {
        await _first.ArrivedAsync(Token);
        await proxy.TurnAsync(Token);
        _time.Advance(TimeSpan.FromSeconds(1));
        await proxy.TurnAsync(Token);
        Assert.That(PolicyOf(proxy).SentCount, Is.Zero);
        _first.Answer(HeldOrigin.Ok("one"));
        Assert.That(await client.ReadResponseAsync(Token), Does.EndWith("one"));
        Assert.That((await proxy.Completions.NextAsync(Token)).IsHedged, Is.False);
    }

    [Test]
    public async Task ADestinationThatHasBegunToAnswerIsWaitedFor()
    {
        await using ProxyFixture proxy = await StartAsync();
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(Get + Get, Token);
        await _first.ArrivedAsync(Token);
        // The next request comes on the same connection, so the part is there when this is answered.
        _first.Answer("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 2");
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 103 "));
        _time.Advance(TimeSpan.FromSeconds(1));
        await proxy.TurnAsync(Token);
        Assert.That(PolicyOf(proxy).SentCount, Is.Zero);
    }

    [Test]
    public async Task WithoutAnotherDestinationNothingIsHedged()
    {
        await using ProxyFixture proxy = await StartAsync(c => c with { Destinations = new Dictionary<string, DestinationConfig> { ["d0"] = c.Destinations["d0"] } });
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(Get, Token);
        await AssertNotHedgedAsync(proxy, client);
    }

    [Test]
    public async Task ADestinationAtItsLimitIsNotHedgedTo()
    {
        await using ProxyFixture proxy = await StartAsync(c => c with
        {
            Destinations = c.Destinations.ToDictionary(d => d.Key, d => d.Value with { RequestsMax = 1 }),
            Queue = new() { RequestsMax = 10 },
        });
        using RawClient other = await proxy.ConnectAsync(Token), client = await proxy.ConnectAsync(Token);
        await client.SendAsync(Get, Token);
        await _first.ArrivedAsync(Token);
        await other.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", Token);
        await _second.ArrivedAsync(Token);
        _time.Advance(TimeSpan.FromSeconds(1));
        await proxy.TurnAsync(Token);
        Assert.That(_second.Requests, Is.EqualTo(1));
        _first.Answer(HeldOrigin.Ok("one"));
        _second.Answer(HeldOrigin.Ok("two"));
        Assert.That(await client.ReadResponseAsync(Token), Does.EndWith("one"));
        Assert.That(await other.ReadResponseAsync(Token), Does.EndWith("two"));
    }

    [TestCase(null)]
    [TestCase("nonsense\r\n\r\n")]
    [TestCase("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")]
    public async Task AFirstDestinationThatFailsLeavesTheAnswerToTheSecond(string? failure)
    {
        await using ProxyFixture proxy = await StartAsync();
        using RawClient client = await HedgedAsync(proxy);
        _first.Answer(failure);
        await proxy.TurnAsync(Token);
        _second.Answer(HeldOrigin.Ok("two"));
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 200 ").And.EndsWith("two"));
        Completion completion = await proxy.Completions.NextAsync(Token);
        Assert.That((completion.Reason, completion.HasHedgeWon, completion.Destination), Is.EqualTo((EndReason.Completed, true, "d1")));
    }

    [Test]
    public async Task AFirstDestinationThatIsTooLateLeavesTheAnswerToTheSecond()
    {
        await using ProxyFixture proxy = await StartAsync(c => c with { ResponseHeadTimeout = TimeSpan.FromSeconds(1) });
        using RawClient client = await HedgedAsync(proxy);
        _time.Advance(TimeSpan.FromMilliseconds(850)); // 1.1 s after the first, 0.85 s after the second
        Assert.That(await _first.EndedAsync(Token), Is.EqualTo(StreamEnd.Reset));
        _second.Answer(HeldOrigin.Ok("two"));
        Assert.That(await client.ReadResponseAsync(Token), Does.EndWith("two"));
    }

    [TestCase(null)]
    [TestCase("nonsense\r\n\r\n")]
    [TestCase("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")]
    public async Task ASecondDestinationThatFailsChangesNothing(string? failure)
    {
        await using ProxyFixture proxy = await StartAsync();
        using RawClient client = await HedgedAsync(proxy);
        _second.Answer(failure);
        await proxy.TurnAsync(Token);
        Assert.That(proxy.Completions.IsEmpty);
        _first.Answer(HeldOrigin.Ok("one"));
        Assert.That(await client.ReadResponseAsync(Token), Does.EndWith("one"));
        Completion completion = await proxy.Completions.NextAsync(Token);
        Assert.That((completion.IsHedged, completion.HasHedgeWon, completion.Destination), Is.EqualTo((true, false, "d0")));
    }

    [Test]
    public async Task WhereBothFailTheFirstFailureIsAnswered([Values] bool firstFirst)
    {
        await using ProxyFixture proxy = await StartAsync();
        using RawClient client = await HedgedAsync(proxy);
        (firstFirst ? _first : _second).Answer(null);
        await proxy.TurnAsync(Token);
        (firstFirst ? _second : _first).Answer(null);
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 502 "));
        Completion completion = await proxy.Completions.NextAsync(Token);
        Assert.That((completion.Reason, completion.IsHedged, completion.HasHedgeWon), Is.EqualTo((EndReason.UpstreamClosed, true, false)));
    }

    [Test]
    public async Task WhereBothFailTheRequestIsRepeatedButNotHedgedAgain()
    {
        await using ProxyFixture proxy = await StartAsync(c => c with { RetriesMax = 1, Ejection = new() { Enabled = false } });
        using RawClient client = await HedgedAsync(proxy);
        _second.Answer(null);
        await proxy.TurnAsync(Token);
        _first.Answer(null);
        await _second.ArrivedAsync(Token); // the retry passes over the first
        _time.Advance(TimeSpan.FromSeconds(1));
        await proxy.TurnAsync(Token);
        _second.Answer(HeldOrigin.Ok("again"));
        Assert.That(await client.ReadResponseAsync(Token), Does.EndWith("again"));
        Completion completion = await proxy.Completions.NextAsync(Token);
        Assert.That((completion.Attempts, completion.HasHedgeWon, PolicyOf(proxy).SentCount), Is.EqualTo((2, false, 1)));
    }

    [Test]
    public async Task AnInterimAnswerWins([Values] bool ofFirst)
    {
        await using ProxyFixture proxy = await StartAsync();
        using RawClient client = await HedgedAsync(proxy);
        (HeldOrigin winner, HeldOrigin loser) = ofFirst ? (_first, _second) : (_second, _first);
        winner.Answer($"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n{HeldOrigin.Ok("final")}");
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 103 "));
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 200 ").And.EndsWith("final"));
        Assert.That(await loser.EndedAsync(Token), Is.EqualTo(StreamEnd.Reset));
        Assert.That((await proxy.Completions.NextAsync(Token)).HasHedgeWon, Is.EqualTo(!ofFirst));
    }

    [Test]
    public async Task AClientThatLeavesEndsBoth()
    {
        await using ProxyFixture proxy = await StartAsync();
        RawClient client = await HedgedAsync(proxy);
        client.Reset();
        Assert.That(await _first.EndedAsync(Token), Is.EqualTo(StreamEnd.Reset));
        Assert.That(await _second.EndedAsync(Token), Is.EqualTo(StreamEnd.Reset));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.ClientAborted));
    }

    [Test]
    public async Task AClientThatLeavesWhileOnlyTheSecondIsLeftEndsIt()
    {
        await using ProxyFixture proxy = await StartAsync();
        RawClient client = await HedgedAsync(proxy);
        _first.Answer(null);
        await proxy.TurnAsync(Token);
        client.Reset();
        Assert.That(await _second.EndedAsync(Token), Is.EqualTo(StreamEnd.Reset));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.ClientAborted));
    }

    [Test]
    public async Task TheDeadlineEndsBoth([Values] bool firstIsGone)
    {
        await using ProxyFixture proxy = await StartAsync(route: new RouteConfig { Deadline = TimeSpan.FromSeconds(1) });
        using RawClient client = await HedgedAsync(proxy);
        if (firstIsGone) _first.Answer(null);
        await proxy.TurnAsync(Token);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 504 "));
        Assert.That(await _second.EndedAsync(Token), Is.EqualTo(StreamEnd.Reset));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.DeadlineExceeded));
    }

    [Test]
    public async Task AServerThatStopsLeavesNothingBehind([Values] bool firstIsGone)
    {
        ProxyFixture proxy = await StartAsync();
        using RawClient client = await HedgedAsync(proxy);
        if (firstIsGone) _first.Answer(null);
        await proxy.TurnAsync(Token);
        await proxy.DisposeAsync();
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.AnyOf(EndReason.Shutdown, EndReason.ClientAborted));
    }

    [Test]
    public async Task AHedgeWhoseNameIsStillLookedUpIsGivenUp([Values] bool clientLeaves)
    {
        await using ProxyFixture proxy = await StartAsync(c => c with
        {
            Destinations = new Dictionary<string, DestinationConfig> { ["d0"] = c.Destinations["d0"], ["d1"] = new() { Address = "destination.invalid:80" } },
        });
        proxy.Server.Snapshot.Clusters[0].Members.Present.Last().Resolving = new TaskCompletionSource().Task; // does not end
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(Get, Token);
        await _first.ArrivedAsync(Token);
        await proxy.TurnAsync(Token);
        _time.Advance(TimeSpan.FromMilliseconds(250));
        await proxy.TurnAsync(Token);
        Assert.That(PolicyOf(proxy).SentCount, Is.EqualTo(1));
        if (clientLeaves)
        {
            client.Reset();
            Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.ClientAborted));
            return;
        }
        _first.Answer(HeldOrigin.Ok("one"));
        Assert.That(await client.ReadResponseAsync(Token), Does.EndWith("one"));
        Assert.That((await proxy.Completions.NextAsync(Token)).HedgeLoser, Is.EqualTo("d1"));
    }

    [Test]
    public async Task AHedgeThatStillConnectsIsGivenUp()
    {
        using var hole = new BlackHole();
        await hole.FillAsync(Token);
        await using ProxyFixture proxy = await StartAsync(c => c with
        {
            Destinations = new Dictionary<string, DestinationConfig> { ["d0"] = c.Destinations["d0"], ["d1"] = new() { Address = hole.Address } },
        });
        using RawClient client = await proxy.ConnectAsync(Token);
        for (int i = 0; i < 3; i++)
        {
            await client.SendAsync(Get, Token);
            await _first.ArrivedAsync(Token);
            await proxy.TurnAsync(Token);
            _time.Advance(TimeSpan.FromMilliseconds(250));
            await proxy.TurnAsync(Token);
            Assert.That(PolicyOf(proxy).SentCount, Is.EqualTo(i + 1));
            _first.Answer(HeldOrigin.Ok("one"));
            Assert.That(await client.ReadResponseAsync(Token), Does.EndWith("one"));
        }
        Assert.That(_first.Connections, Is.EqualTo(1));
    }

    [Test]
    public async Task OfTwoAnswersInOneTurnTheClientGetsOne()
    {
        await using ProxyFixture proxy = await StartAsync();
        using RawClient client = await proxy.ConnectAsync(Token);
        for (int i = 0; i < 20; i++)
        {
            await HedgeAsync(proxy, client);
            using (var busy = proxy.Server.Contexts[0].Hold())
            {
                await busy.HeldAsync(Token);
                _first.Answer(HeldOrigin.Ok("one"));
                _second.Answer(HeldOrigin.Ok("two"));
                await _first.SentAsync(Token);
                await _second.SentAsync(Token);
            }
            Assert.That(await client.ReadResponseAsync(Token), Does.EndWith("one").Or.EndsWith("two"));
            Completion completion = await proxy.Completions.NextAsync(Token);
            Assert.That((completion.Reason, completion.IsHedged), Is.EqualTo((EndReason.Completed, true)));
        }
    }

    [Test]
    public async Task ADestinationThatLeavesTheClusterFinishesItsHedge()
    {
        await using ProxyFixture proxy = await StartAsync();
        using RawClient client = await HedgedAsync(proxy);
        proxy.Server.UpdateDestinations("app", new Dictionary<string, DestinationConfig> { ["d0"] = new() { Address = _first.Address } });
        await proxy.TurnAsync(Token);
        _second.Answer(HeldOrigin.Ok("two"));
        Assert.That(await client.ReadResponseAsync(Token), Does.EndWith("two"));
        await client.SendAsync(Get, Token);
        await AssertNoMoreThanOneAsync(proxy);
        _first.Answer(HeldOrigin.Ok("one"));
        Assert.That(await client.ReadResponseAsync(Token), Does.EndWith("one"));
    }

    private async Task AssertNoMoreThanOneAsync(ProxyFixture proxy)
    {
        await _first.EndedAsync(Token);
        await _first.ArrivedAsync(Token);
        _time.Advance(TimeSpan.FromSeconds(1));
        await proxy.TurnAsync(Token);
        Assert.That(PolicyOf(proxy).SentCount, Is.EqualTo(1));
    }

    [Test]
    public async Task HedgesBeyondTheBudgetAreNotSent()
    {
        await using ProxyFixture proxy = await StartAsync(c => c with { Hedge = new() { After = "200ms", PercentMax = 5 } });
        RawClient[] clients = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => proxy.ConnectAsync(Token)));
        foreach (RawClient client in clients)
        {
            await client.SendAsync(Get, Token);
            await _first.ArrivedAsync(Token);
        }
        await proxy.TurnAsync(Token);
        _time.Advance(TimeSpan.FromMilliseconds(250));
        // One to begin with, and 5 % of 50.
        for (int i = 0; i < 3; i++) await _second.ArrivedAsync(Token);
        await proxy.TurnAsync(Token);
        Assert.That((PolicyOf(proxy).SentCount, PolicyOf(proxy).DeniedCount), Is.EqualTo((3, 47)));
        foreach (RawClient _ in clients) _first.Answer(HeldOrigin.Ok("one"));
        foreach (RawClient client in clients)
        {
            Assert.That(await client.ReadResponseAsync(Token), Does.EndWith("one"));
            client.Dispose();
        }
        Assert.That(_second.Requests, Is.EqualTo(3));
    }

    /// <summary>Destinations that are slow by chance, in real time: whoever wins, each client gets the answer to its own request.</summary>
    [Test]
    public async Task EveryClientGetsItsOwnAnswerWhoeverWins()
    {
        var random = new Random(7);
        ScriptedOrigin Slow() => new(async (c, _, t) =>
        {
            while (true)
            {
                string target = (await c.ReadUntilAsync("\r\n\r\n", t)).Split(' ')[1];
                int draw;
                lock (random) draw = random.Next(100);
                if (draw < 2) return; // closes
                if (draw < 40) await Task.Delay(draw / 4, t);
                await c.SendAsync(HeldOrigin.Ok(target), t);
            }
        });
        await using ScriptedOrigin one = Slow(), two = Slow(), three = Slow();
        ProxyConfig config = ProxyFixture.Config(transport, one.Address, two.Address, three.Address);
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config with
        {
            Clusters = new Dictionary<string, ClusterConfig>
            {
                ["app"] = config.Clusters["app"] with { Hedge = new() { After = "3ms", PercentMax = 100 }, RetriesMax = 10, Ejection = new() { Enabled = false } },
            },
        });
        await Task.WhenAll(Enumerable.Range(0, 16).Select(async number =>
        {
            RawClient client = await proxy.ConnectAsync(Token);
            for (int i = 0; i < 100; i++)
            {
                string target = $"/{number}/{i}";
                await client.SendAsync($"GET {target} HTTP/1.1\r\nHost: h\r\n\r\n", Token);
                if (i % 10 == 9)
                {
                    client.Reset();
                    client = await proxy.ConnectAsync(Token);
                    continue;
                }
                Assert.That(await client.ReadResponseAsync(Token), Does.EndWith("\r\n\r\n" + target));
            }
            client.Dispose();
        }));
        Assert.That(PolicyOf(proxy).SentCount, Is.GreaterThan(50));
        Assert.That(PolicyOf(proxy).WonCount, Is.InRange(1, PolicyOf(proxy).SentCount));
    }

    [TestCase(99, false)]
    [TestCase(100, true)]
    public async Task APercentileIsKnownAfterAHundredRequests(int requests, bool isHedged)
    {
        await using ProxyFixture proxy = await StartAsync(c => c with { Hedge = new() { After = "p95", PercentMax = 100 } });
        using RawClient client = await proxy.ConnectAsync(Token);
        for (int i = 0; i < requests; i++)
        {
            _first.Answer(HeldOrigin.Ok("one"));
            await client.SendAsync(Get, Token);
            await client.ReadResponseAsync(Token);
            await _first.ArrivedAsync(Token);
        }
        await client.SendAsync(Get, Token);
        await _first.ArrivedAsync(Token);
        await proxy.TurnAsync(Token);
        _time.Advance(TimeSpan.FromMilliseconds(50));
        await proxy.TurnAsync(Token);
        Assert.That(PolicyOf(proxy).SentCount, Is.EqualTo(isHedged ? 1 : 0));
        _first.Answer(HeldOrigin.Ok("one"));
        Assert.That(await client.ReadResponseAsync(Token), Does.EndWith("one"));
    }
}
