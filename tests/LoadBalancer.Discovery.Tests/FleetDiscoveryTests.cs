using System.Net;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.Discovery.Tests;

/// <summary>From a name to who gets the requests.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[Parallelizable(ParallelScope.All), FixtureLifeCycle(LifeCycle.InstancePerTestCase), CancelAfter(30_000)]
public sealed class FleetDiscoveryTests(TransportKind transport)
{
    private readonly FakeTimeProvider _time = new();
    private readonly DiscoveryWatch _watch = new();

    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SkipWhereUnsupported()
    {
        if (transport == TransportKind.Epoll && !OperatingSystem.IsLinux()) Assert.Ignore("epoll needs Linux");
    }

    [Test]
    public async Task TrafficFollowsTheAddressesOfTheName()
    {
        await using ScriptedOrigin one = Named("one"), two = Named("two", new IPEndPoint(IPAddress.Parse("127.0.0.2"), ((IPEndPoint)one.EndPoint).Port));
        string[] addresses = [];
        await using var dns = new DnsOrigin(q => [q.Addresses(5, addresses)]);
        ProxyConfig config = Config(new DiscoverConfig { Dns = $"api.internal:{((IPEndPoint)one.EndPoint).Port}", Resolver = dns.Address });
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config);
        await using FleetDiscovery discovery = Discovery(proxy, config);
        using RawClient client = await proxy.ConnectAsync(Token);

        await discovery.StartAsync();
        DiscoveryRecord look = await _watch.NextAsync(Token);
        Assert.That((look.Destinations, look.Problem), Is.EqualTo((0, "api.internal has no address")));
        Assert.That(await AskAsync(client), Does.StartWith("HTTP/1.1 503 "));

        addresses = ["127.0.0.1"];
        Assert.That((await NextAsync(look)).Destinations, Is.EqualTo(1));
        Assert.That(await AnswersAsync(client), Is.EqualTo(new[] { "one" }));

        addresses = ["127.0.0.2", "127.0.0.1"];
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.That((await _watch.NextAsync(Token)).Destinations, Is.EqualTo(2));
        Assert.That(await AnswersAsync(client), Is.EquivalentTo(new[] { "one", "two" }));

        addresses = ["127.0.0.2"];
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.That((await _watch.NextAsync(Token)).Destinations, Is.EqualTo(1));
        Assert.That(await AnswersAsync(client), Is.EqualTo(new[] { "two" }));
        Assert.That(one.Connections, Is.EqualTo(1));
    }

    [Test]
    public async Task FailuresKeepTheLastGoodAnswerAndAreRetriedLessAndLessOften()
    {
        byte? code = null;
        await using var dns = new DnsOrigin(q => [code is { } failed ? q.Failed(failed) : q.Addresses(7, "127.0.0.1")]);
        ProxyConfig config = Config(new DiscoverConfig { Dns = "api.internal:80", Resolver = dns.Address });
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config);
        await using FleetDiscovery discovery = Discovery(proxy, config);
        await discovery.StartAsync();
        DiscoveryRecord look = await _watch.NextAsync(Token);
        Assert.That((look.IsChanged, look.NextIn.TotalSeconds), Is.EqualTo((true, 7.0)));
        for (int failure = 0; failure < 10; failure++)
        {
            code = failure % 2 == 0 ? DnsQuery.ServFail : failure % 4 == 1 ? DnsQuery.NxDomain : DnsQuery.NoError;
            look = await NextAsync(look);
            double backOff = Math.Min(60, 1 << failure);
            Assert.That((look.Destinations, look.IsChanged, look.Problem is null), Is.EqualTo((1, false, false)));
            Assert.That(look.NextIn.TotalSeconds, Is.InRange(backOff / 2, backOff));
        }
        code = null;
        look = await NextAsync(look);
        Assert.That((look.Destinations, look.IsChanged, look.Problem, look.NextIn.TotalSeconds), Is.EqualTo((1, false, (string?)null, 7.0)));
    }

    [TestCase(0u, 1, 60, 1)]
    [TestCase(uint.MaxValue, 1, 60, 1)]
    [TestCase(2147483647u, 1, 60, 60)]
    [TestCase(5u, 10, 20, 10)]
    public async Task TheIntervalIsTheTtlWithinItsBounds(uint ttl, int min, int max, int seconds)
    {
        await using var dns = new DnsOrigin(q => [q.Addresses(ttl, "127.0.0.1")]);
        ProxyConfig config = Config(new DiscoverConfig { Dns = "api.internal:80", Resolver = dns.Address, IntervalMin = TimeSpan.FromSeconds(min), IntervalMax = TimeSpan.FromSeconds(max) });
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config);
        await using FleetDiscovery discovery = Discovery(proxy, config);
        await discovery.StartAsync();
        Assert.That((await _watch.NextAsync(Token)).NextIn.TotalSeconds, Is.EqualTo(seconds));
    }

    [Test]
    public async Task AFailedHalfOfAnAnswerKeepsItsHalf()
    {
        bool isBroken = false;
        await using var dns = new DnsOrigin(q => [q.Type == 1 ? q.Addresses(7, isBroken ? "127.0.0.2" : "127.0.0.1")
            : isBroken ? q.Failed(DnsQuery.ServFail) : q.Reply(DnsQuery.Record(28, 7, IPAddress.IPv6Loopback.GetAddressBytes()))]);
        ProxyConfig config = Config(new DiscoverConfig { Dns = "api.internal:80", Resolver = dns.Address });
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config);
        await using FleetDiscovery discovery = Discovery(proxy, config);
        await discovery.StartAsync();
        DiscoveryRecord look = await _watch.NextAsync(Token);
        Assert.That(Members(proxy), Is.EquivalentTo(new[] { "127.0.0.1:80", "[::1]:80" }));
        isBroken = true;
        look = await NextAsync(look);
        Assert.That(Members(proxy), Is.EquivalentTo(new[] { "127.0.0.2:80", "[::1]:80" }));
        Assert.That(look.NextIn, Is.LessThanOrEqualTo(TimeSpan.FromSeconds(1)), "the failed half is asked for again");
    }

    [Test]
    public async Task SeveralSourcesAndFixedDestinationsStandBesideEachOther()
    {
        await using var dns = new DnsOrigin(q => [q.Addresses(7, q.Name == "a.internal" ? "127.0.0.2" : "127.0.0.3")]);
        ProxyConfig config = Config(new DiscoverConfig { Dns = "a.internal:80", Resolver = dns.Address }, new DiscoverConfig { Dns = "b.internal:80", Resolver = dns.Address, Tier = 1 });
        ClusterConfig cluster = config.Clusters["app"] with { Destinations = new Dictionary<string, DestinationConfig> { ["own"] = new() { Address = "127.0.0.1:80" } } };
        config = config with { Clusters = new Dictionary<string, ClusterConfig> { ["app"] = cluster } };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config);
        await using FleetDiscovery discovery = Discovery(proxy, config);
        await discovery.StartAsync();
        Assert.That(Members(proxy), Is.EquivalentTo(new[] { "own", "127.0.0.2:80", "127.0.0.3:80" }));
    }

    [Test]
    public async Task AFixedNameIsLookedUpByItsTtl()
    {
        await using ScriptedOrigin one = Closing("one"), two = Closing("two", new IPEndPoint(IPAddress.Parse("127.0.0.2"), ((IPEndPoint)one.EndPoint).Port));
        string address = "127.0.0.1";
        await using var dns = new DnsOrigin(q => [q.Addresses(3, address)]);
        ProxyConfig config = ProxyFixture.Config(transport, $"api.internal:{((IPEndPoint)one.EndPoint).Port}");
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config, _time, new DnsResolver(dns.EndPoint));
        using RawClient client = await proxy.ConnectAsync(Token);
        Assert.That(await AskAsync(client), Does.EndWith("one"));
        Assert.That(new[] { (await dns.NextAsync(Token)).Type, (await dns.NextAsync(Token)).Type }, Is.EquivalentTo(new[] { 1, 28 }));
        address = "127.0.0.2";
        _time.Advance(TimeSpan.FromSeconds(2.9));
        Assert.That(await AskAsync(client), Does.EndWith("one"));
        _time.Advance(TimeSpan.FromSeconds(0.2));
        await AskAsync(client); // by the old answer; the new one is asked for beside
        await dns.NextAsync(Token);
        await dns.NextAsync(Token);
        while (!(await AskAsync(client)).EndsWith("two", StringComparison.Ordinal)) // until the answer has come
        {
        }
    }

    [Test]
    public async Task AFileThatBlocksDoesNotKeepTheBalancerFromStopping()
    {
        using var release = new ManualResetEventSlim();
        var reading = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        IReadOnlyDictionary<string, DestinationConfig>? Blocked(ReadOnlyMemory<byte> utf8, string fileName, out string problem)
        {
            reading.TrySetResult();
            release.Wait(); // as a pipe that nobody writes to, or a network volume that is away
            problem = "late";
            return null;
        }
        ProxyConfig config = Config(new DiscoverConfig { File = typeof(FleetDiscoveryTests).Assembly.Location });
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config);
        FleetDiscovery discovery = Discovery(proxy, config, Blocked);
        try
        {
            _ = discovery.StartAsync();
            await reading.Task.WaitAsync(Token);
            await discovery.DisposeAsync().AsTask().WaitAsync(Token);
        }
        finally
        {
            release.Set();
        }
    }

    [Test]
    public async Task ACancellationThatIsNobodysStopIsAFailedLook()
    {
        int looks = 0;
        IReadOnlyDictionary<string, DestinationConfig>? Cancelled(ReadOnlyMemory<byte> utf8, string fileName, out string problem)
        {
            problem = "";
            return ++looks == 1 ? throw new OperationCanceledException("a time-out of its own") : new Dictionary<string, DestinationConfig> { ["a"] = new() { Address = "127.0.0.1:80" } };
        }
        ProxyConfig config = Config(new DiscoverConfig { File = typeof(FleetDiscoveryTests).Assembly.Location });
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config);
        await using FleetDiscovery discovery = Discovery(proxy, config, Cancelled);
        await discovery.StartAsync();
        DiscoveryRecord look = await _watch.NextAsync(Token);
        Assert.That(look.Problem, Is.EqualTo("internal error"));
        Assert.That((await NextAsync(look)).Destinations, Is.EqualTo(1));
    }

    [Test]
    public async Task TheLongestIntervalsAreBackedOffFromToo()
    {
        await using var dns = new DnsOrigin(q => [q.Failed(DnsQuery.ServFail)]);
        TimeSpan day = TimeSpan.FromDays(1);
        ProxyConfig config = Config(new DiscoverConfig { Dns = "api.internal:80", Resolver = dns.Address, IntervalMin = day, IntervalMax = day });
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config);
        await using FleetDiscovery discovery = Discovery(proxy, config);
        await discovery.StartAsync();
        DiscoveryRecord look = await _watch.NextAsync(Token);
        for (int failure = 1; failure < 32; failure++) look = await NextAsync(look); // 2^24 days are more than a TimeSpan holds
        Assert.That(look.NextIn, Is.InRange(day / 2, day));
    }

    [Test]
    public async Task AChangedSourceKeepsItsDestinationsUntilItAnswers()
    {
        bool isAway = false;
        await using var dns = new DnsOrigin(q => isAway ? [] : [q.Addresses(7, "127.0.0.1")]);
        var source = new DiscoverConfig { Dns = "api.internal:80", Resolver = dns.Address };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(Config(source));
        await using FleetDiscovery discovery = Discovery(proxy, proxy.Server.Config);
        await discovery.StartAsync();
        await _watch.NextAsync(Token);
        isAway = true;
        await ReloadAsync(proxy, discovery, source with { Tier = 1 });
        Assert.That(Members(proxy), Is.EqualTo(["127.0.0.1:80"]));
    }

    [Test]
    public async Task ASourceThatComesBeforeAnotherLeavesTheOthersDestinationsThere()
    {
        bool isAway = false;
        await using var dns = new DnsOrigin(q => isAway && q.Name == "b.internal" ? [q.Failed(DnsQuery.ServFail)] : [q.Addresses(7, q.Name == "a.internal" ? "127.0.0.2" : "127.0.0.3")]);
        DiscoverConfig a = new() { Dns = "a.internal:80", Resolver = dns.Address }, b = new() { Dns = "b.internal:80", Resolver = dns.Address };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(Config(a));
        await using FleetDiscovery discovery = Discovery(proxy, proxy.Server.Config);
        await discovery.StartAsync();
        DiscoveryRecord look = await _watch.NextAsync(Token);
        isAway = true;
        await ReloadAsync(proxy, discovery, b, a);
        for (int i = 0; i < 2; i++) look = await _watch.NextAsync(Token);
        Assert.That(Members(proxy), Is.EqualTo(["127.0.0.2:80"]));
        isAway = false;
        while (!Members(proxy).Contains("127.0.0.3:80")) look = await NextAsync(look);
        Assert.That(Members(proxy), Is.EquivalentTo(["127.0.0.2:80", "127.0.0.3:80"]));
    }

    [Test]
    public async Task ASourceThatIsReplacedTakesItsDestinationsWithItOnceTheOtherHasAnswered()
    {
        bool isAway = true;
        await using var dns = new DnsOrigin(q => isAway && q.Name == "b.internal" ? [q.Failed(DnsQuery.ServFail)] : [q.Addresses(7, q.Name == "a.internal" ? "127.0.0.2" : "127.0.0.3")]);
        DiscoverConfig a = new() { Dns = "a.internal:80", Resolver = dns.Address }, b = new() { Dns = "b.internal:80", Resolver = dns.Address };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(Config(a));
        await using FleetDiscovery discovery = Discovery(proxy, proxy.Server.Config);
        await discovery.StartAsync();
        await _watch.NextAsync(Token);
        await ReloadAsync(proxy, discovery, b);
        DiscoveryRecord look = await _watch.NextAsync(Token);
        Assert.That(Members(proxy), Is.EqualTo(["127.0.0.2:80"]), "nobody else is known");
        isAway = false;
        while (look.Problem is not null) look = await NextAsync(look);
        while (!Members(proxy).SequenceEqual(["127.0.0.3:80"])) await proxy.TurnAsync(Token);
        await ReloadAsync(proxy, discovery);
        Assert.That(Members(proxy), Is.Empty, "nobody takes its place");
    }

    [Test]
    public async Task ASourceThatComesBackAndHasNothingLeavesNothing()
    {
        bool isFull = true;
        string file = Path.GetTempFileName();
        await using var dns = new DnsOrigin(q => []);
        DiscoverConfig a = new() { File = file }, b = new() { Dns = "b.internal:80", Resolver = dns.Address };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(Config(a));
        await using FleetDiscovery discovery = Discovery(proxy, proxy.Server.Config, Read);
        await discovery.StartAsync();
        Assert.That(Members(proxy), Is.EqualTo(["127.0.0.9:80"]));
        await ReloadAsync(proxy, discovery, b);
        Assert.That(Members(proxy), Is.EqualTo(["127.0.0.9:80"]), "nobody else is known");
        isFull = false;
        await ReloadAsync(proxy, discovery, a);
        while (Members(proxy).Any()) await proxy.TurnAsync(Token);
        File.Delete(file);

        IReadOnlyDictionary<string, DestinationConfig>? Read(ReadOnlyMemory<byte> utf8, string name, out string problem)
        {
            problem = "";
            return isFull ? new Dictionary<string, DestinationConfig> { ["127.0.0.9:80"] = new() { Address = "127.0.0.9:80" } } : [];
        }
    }

    [Test]
    public async Task AChangeAfterTheEndIsNotWaitedFor()
    {
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(Config());
        FleetDiscovery discovery = Discovery(proxy, proxy.Server.Config);
        await discovery.DisposeAsync();
        await discovery.ReconfigureAsync(proxy.Server.Config).WaitAsync(Token);
    }

    private async Task ReloadAsync(ProxyFixture proxy, FleetDiscovery discovery, params DiscoverConfig[] sources)
    {
        await proxy.Server.ReloadAsync(proxy.Server.Config with { Clusters = Config(sources).Clusters });
        await discovery.ReconfigureAsync(proxy.Server.Config);
    }

    [Test]
    public void AFileWithoutAReaderIsRefused()
    {
        ProxyConfig config = Config(new DiscoverConfig { File = "fleet.json" });
        var server = new Core.ProxyServer(config, NullLoggerFactory.Instance);
        Assert.Throws<ArgumentException>(() => _ = new FleetDiscovery(server, config, NullLoggerFactory.Instance));
    }

    private FleetDiscovery Discovery(ProxyFixture proxy, ProxyConfig config, DestinationFileReader? reader = null) =>
        new(proxy.Server, config, NullLoggerFactory.Instance, new DiscoveryOptions { Observer = _watch, TimeProvider = _time, FileReader = reader, Seed = 1 });

    private async Task<DiscoveryRecord> NextAsync(DiscoveryRecord last)
    {
        _time.Advance(last.NextIn);
        return await _watch.NextAsync(Token);
    }

    private ProxyConfig Config(params DiscoverConfig[] discover)
    {
        ProxyConfig config = ProxyFixture.Config(transport);
        return config with { Clusters = new Dictionary<string, ClusterConfig> { ["app"] = config.Clusters["app"] with { Discover = discover, Balance = "round-robin", SlowStart = TimeSpan.Zero } } };
    }

    private static IEnumerable<string> Members(ProxyFixture proxy) => proxy.MembersOf("app");

    private static ScriptedOrigin Named(string name, IPEndPoint? endPoint = null) => new(async (connection, _, token) =>
    {
        while (true)
        {
            await connection.ReadUntilAsync("\r\n\r\n", token);
            await connection.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {name.Length}\r\n\r\n{name}", token);
        }
    }, endPoint);

    private static ScriptedOrigin Closing(string name, IPEndPoint? endPoint = null) => new(async (connection, _, token) =>
    {
        await connection.ReadUntilAsync("\r\n\r\n", token);
        await connection.SendAsync($"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {name.Length}\r\n\r\n{name}", token);
    }, endPoint);

    private static async Task<IEnumerable<string>> AnswersAsync(RawClient client)
    {
        var seen = new HashSet<string>();
        for (int i = 0; i < 60; i++) seen.Add((await AskAsync(client)).Split("\r\n\r\n")[1]);
        return seen;
    }

    private static async Task<string> AskAsync(RawClient client)
    {
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        return await client.ReadResponseAsync(Token);
    }
}
