using LoadBalancer.Balancing;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>Active health checks.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(30_000)]
public sealed class HealthCheckTests(TransportKind transport) : FleetTests(transport)
{
    private static readonly ClusterConfig Checked = new() { HealthCheck = new() { Path = "/health" } };

    // The longest interval, with its jitter and a tick of the loop's timers.
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(6.1);

    private async Task ProbeAgainAsync(ProxyFixture proxy, params FleetOrigin[] origins)
    {
        Time.Advance(Interval);
        foreach (FleetOrigin origin in origins) await origin.ProbeEndedAsync(proxy, Token);
    }

    [Test]
    public async Task ADestinationThatFailsItsChecksGetsNoTrafficAndComesBack()
    {
        await using FleetOrigin good = new(), changing = new();
        await using ProxyFixture proxy = await StartAsync(Checked, good, changing);
        await good.ProbeEndedAsync(proxy, Token);
        await changing.ProbeEndedAsync(proxy, Token);

        changing.ProbeAnswer = FleetOrigin.Bad;
        for (int fall = 1; fall <= 3; fall++)
        {
            Assert.That(await SharesAsync(proxy, 10, good, changing), Is.EqualTo([5, 5]), $"{fall - 1} failures are not enough");
            await ProbeAgainAsync(proxy, good, changing);
        }
        Assert.That(await SharesAsync(proxy, 10, good, changing), Is.EqualTo([10, 0]));
        Assert.That(await proxy.Log.NextAsync(Token), Is.EqualTo("cluster app: destination d1 is unhealthy: status 503"));

        changing.ProbeAnswer = FleetOrigin.Good;
        for (int rise = 1; rise <= 2; rise++)
        {
            Assert.That(await SharesAsync(proxy, 10, good, changing), Is.EqualTo([10, 0]), $"{rise - 1} successes are not enough");
            await ProbeAgainAsync(proxy, good, changing);
        }
        Assert.That(await SharesAsync(proxy, 10, good, changing), Is.EqualTo([5, 5]));
        Assert.That(await proxy.Log.NextAsync(Token), Is.EqualTo("cluster app: destination d1 is healthy"));
    }

    // Envoy's successful_active_health_check_uneject_host, with as many probes as bring an unhealthy one back.
    [TestCase(true)]
    [TestCase(false)]
    public async Task GoodProbesEndAnEjectionBeforeItsTimeUnlessTheyAreNotTrustedWithIt(bool ends)
    {
        await using FleetOrigin good = new(), ejected = new() { Answer = FleetOrigin.Bad };
        await using ProxyFixture proxy = await StartAsync(Checked with { Ejection = new() { EndOnGoodProbes = ends } }, good, ejected);
        await good.ProbeEndedAsync(proxy, Token);
        await ejected.ProbeEndedAsync(proxy, Token);
        await AskAsync(proxy, 20);
        Assert.That(StatusOf(proxy, 1), Is.EqualTo(DestinationStatus.Ejected));
        ejected.Answer = FleetOrigin.Good;

        await ProbeAgainAsync(proxy, good, ejected);
        ejected.ProbeAnswer = FleetOrigin.Bad;
        await ProbeAgainAsync(proxy, good, ejected);
        ejected.ProbeAnswer = FleetOrigin.Good;
        await ProbeAgainAsync(proxy, good, ejected);
        Assert.That(StatusOf(proxy, 1), Is.EqualTo(DestinationStatus.Ejected), "two in a row are asked for");
        await ProbeAgainAsync(proxy, good, ejected); // 24.4 s of 30
        Assert.That(StatusOf(proxy, 1), Is.EqualTo(ends ? DestinationStatus.Eligible : DestinationStatus.Ejected));
        Assert.That(await SharesAsync(proxy, 10, good, ejected), Is.EqualTo(ends ? [5, 5] : new[] { 10, 0 }));
        Time.Advance(TimeSpan.FromSeconds(6));
        Assert.That(await SharesAsync(proxy, 10, good, ejected), Is.EqualTo([5, 5]));
    }

    [Test]
    public async Task OnlyFailuresInARowCount()
    {
        await using FleetOrigin origin = new(), other = new();
        await using ProxyFixture proxy = await StartAsync(Checked, origin, other);
        await origin.ProbeEndedAsync(proxy, Token);
        foreach (bool isGood in new[] { false, false, true, false, false, true })
        {
            origin.ProbeAnswer = isGood ? FleetOrigin.Good : FleetOrigin.Bad;
            await ProbeAgainAsync(proxy, origin);
            Assert.That(StatusOf(proxy, 0), Is.EqualTo(DestinationStatus.Eligible));
        }
    }

    [Test]
    public async Task TheFirstProbeDecidesAlone()
    {
        await using FleetOrigin good = new(), bad = new(FleetOrigin.Bad);
        await using ProxyFixture proxy = await StartAsync(Checked, good, bad);
        await bad.ProbeEndedAsync(proxy, Token);
        Assert.That(await SharesAsync(proxy, 10, good, bad), Is.EqualTo([10, 0]));
    }

    [TestCase(false, 5)]
    [TestCase(true, 0)]
    public async Task ADestinationNotYetProbedIsUsedUnlessTheFirstProbeIsToBeAwaited(bool waits, int expected)
    {
        await using FleetOrigin good = new(), silent = new(probeAnswer: null);
        ClusterConfig cluster = Checked with { HealthCheck = Checked.HealthCheck! with { WaitForFirstProbe = waits } };
        await using ProxyFixture proxy = await StartAsync(cluster, good, silent);
        await good.ProbeEndedAsync(proxy, Token);
        await silent.ProbeArrivedAsync(Token);
        Assert.That(await SharesAsync(proxy, 10, good, silent), Is.EqualTo([10 - expected, expected]));
    }

    [Test]
    public async Task AProbeWithoutAnswerFailsWhenItsTimeIsUp()
    {
        await using FleetOrigin good = new(), silent = new(probeAnswer: null);
        await using ProxyFixture proxy = await StartAsync(Checked, good, silent);
        await silent.ProbeArrivedAsync(Token);
        await SettleAsync(proxy);
        Time.Advance(TimeSpan.FromSeconds(1.9));
        await SettleAsync(proxy);
        Assert.That(StatusOf(proxy, 1), Is.EqualTo(DestinationStatus.Eligible));
        Time.Advance(TimeSpan.FromSeconds(0.2));
        await silent.ProbeEndedAsync(proxy, Token);
        Assert.That(await proxy.Log.NextAsync(Token), Does.EndWith("destination d1 is unhealthy: timed out"));
        Assert.That(StatusOf(proxy, 1), Is.EqualTo(DestinationStatus.Unhealthy));
    }

    [Test]
    public async Task ADestinationThatComesBackStartsSlowly()
    {
        await using FleetOrigin good = new(), better = new(), returns = new(FleetOrigin.Bad);
        await using ProxyFixture proxy = await StartAsync(Checked with { SlowStart = TimeSpan.FromSeconds(20) }, good, better, returns);
        foreach (FleetOrigin origin in new[] { good, better, returns }) await origin.ProbeEndedAsync(proxy, Token);
        returns.ProbeAnswer = FleetOrigin.Good;
        for (int i = 0; i < 2; i++) await ProbeAgainAsync(proxy, good, better, returns);
        int[] shares = await SharesAsync(proxy, 150, good, better, returns);
        Assert.That(shares[2], Is.LessThan(30), "a tenth of its turns are its own");
        Time.Advance(TimeSpan.FromSeconds(20));
        Assert.That(await SharesAsync(proxy, 150, good, better, returns), Is.EqualTo([50, 50, 50]));
    }

    [Test]
    public async Task OfTwoDestinationsTheOneThatComesBackTakesItsShareAtOnce()
    {
        await using FleetOrigin good = new(), returns = new(FleetOrigin.Bad);
        await using ProxyFixture proxy = await StartAsync(Checked with { SlowStart = TimeSpan.FromSeconds(20) }, good, returns);
        foreach (FleetOrigin origin in new[] { good, returns }) await origin.ProbeEndedAsync(proxy, Token);
        returns.ProbeAnswer = FleetOrigin.Good;
        for (int i = 0; i < 2; i++) await ProbeAgainAsync(proxy, good, returns);
        Assert.That(await SharesAsync(proxy, 100, good, returns), Is.EqualTo([50, 50]));
    }

    [Test]
    public async Task EveryClusterIsProbedOverSeveralLoops()
    {
        FleetOrigin[] origins = [new(FleetOrigin.Bad), new(FleetOrigin.Bad), new(FleetOrigin.Bad)];
        ProxyConfig config = ProxyFixture.Config(Transport);
        await using (ProxyFixture proxy = await ProxyFixture.StartAsync(config with
        {
            Transport = new() { Kind = Transport, Loops = 2 },
            Routes = new Dictionary<string, RouteConfig>(),
            Clusters = origins.Index().ToDictionary(o => $"c{o.Index}", o => Checked with
            {
                Destinations = new Dictionary<string, DestinationConfig> { ["d"] = new() { Address = o.Item.Address } },
            }),
        }, Time))
        {
            string[] notes = [await proxy.Log.NextAsync(Token), await proxy.Log.NextAsync(Token), await proxy.Log.NextAsync(Token)];
            Assert.That(notes.Order(), Is.EqualTo(Enumerable.Range(0, 3).Select(i => $"cluster c{i}: destination d is unhealthy: status 503")));
            Assert.That(origins.Select(o => o.Probes), Is.All.EqualTo(1));
        }
        foreach (FleetOrigin origin in origins) await origin.DisposeAsync();
    }

    [Test]
    public async Task ABalancerThatStopsBlamesNobodyForTheProbeUnderWay()
    {
        await using FleetOrigin silent = new(probeAnswer: null);
        ProxyFixture proxy = await StartAsync(Checked, silent);
        await silent.ProbeArrivedAsync(Token);
        await proxy.DisposeAsync();
        Assert.That(StatusOf(proxy, 0), Is.EqualTo(DestinationStatus.Eligible));
    }

    [Test]
    public async Task ADestinationGivenByNameIsLookedUp()
    {
        await using FleetOrigin origin = new();
        ProxyConfig config = ProxyFixture.Config(Transport, origin.Address.Replace("127.0.0.1", "localhost", StringComparison.Ordinal));
        config = config with { Clusters = new Dictionary<string, ClusterConfig> { ["app"] = config.Clusters["app"] with { HealthCheck = new() { Path = "/health" } } } };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config, Time);
        // "localhost" may be ::1 first, where nobody listens: the next probe tries the next address.
        for (Task ended = origin.ProbeEndedAsync(proxy, Token); !ended.IsCompleted;)
        {
            if (await Task.WhenAny(ended, proxy.Log.NextAsync(Token)) != ended) Time.Advance(Interval);
        }
        Assert.That(origin.ProbeHead, Does.Contain("\r\nHost: localhost:"));
    }

    private static readonly string LongBody = new('x', 64 * 1024 - 5);

    private static readonly object[] Answers =
    [
        new object?[] { "HTTP/1.1 204 No Content\r\n\r\n", "200-399", null, true },
        new object?[] { "HTTP/1.1 399 Odd\r\nContent-Length: 0\r\n\r\n", "200-399", null, true },
        new object?[] { "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "200-399", null, false },
        new object?[] { "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "200,404", null, true },
        new object?[] { "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "200", null, true },
        new object?[] { "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", "200", null, true },
        new object?[] { "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "200", null, false },
        new object?[] { "SSH-2.0-OpenSSH\r\n", "200", null, false },
        new object?[] { "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nready", "200", "ready", true },
        new object?[] { "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nnot ready", "200", "Ready", false },
        new object?[] { "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nready", "200", "ready", false },
        new object?[] { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nrea\r\n2\r\ndy\r\n0\r\n\r\n", "200", "ready", true },
        new object?[] { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "200", "ready", false },
        new object?[] { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\nready", "200", "ready", false },
        new object?[] { "HTTP/1.1 200 OK\r\nX: close-delimited\r\n\r\nit is ready", "200", "ready", true },
        new object?[] { "HTTP/1.1 200 OK\r\nX: close-delimited\r\n\r\nit is not", "200", "ready", false },
        new object?[] { $"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n{LongBody}ready", "200", "ready", true },
        new object?[] { $"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n{LongBody}yready", "200", "ready", false },
    ];

    [TestCaseSource(nameof(Answers))]
    public async Task AnAnswerIsJudgedByStatusAndBody(string answer, string status, string? body, bool isGood)
    {
        await using FleetOrigin origin = new(answer);
        await using ProxyFixture proxy = await StartAsync(new ClusterConfig { HealthCheck = new() { Path = "/health", Status = status.Split(','), Body = body } }, origin);
        await origin.ProbeEndedAsync(proxy, Token);
        Assert.That(StatusOf(proxy, 0), Is.EqualTo(isGood ? DestinationStatus.Eligible : DestinationStatus.Unhealthy));
    }

    [TestCase(null, "client", null)]
    [TestCase(null, "example.com", "example.com")]
    [TestCase("check.example.com", "example.com", "check.example.com")]
    public async Task AProbeSaysWhomItAsks(string? host, string clusterHost, string? expected)
    {
        await using FleetOrigin origin = new();
        await using ProxyFixture proxy = await StartAsync(Checked with { Host = clusterHost, HealthCheck = Checked.HealthCheck! with { Host = host } }, origin);
        await origin.ProbeEndedAsync(proxy, Token);
        Assert.That(origin.ProbeHead, Does.StartWith("GET /health HTTP/1.1\r\n").And.Contain($"\r\nHost: {expected ?? origin.Address}\r\n").And.Contain("\r\nConnection: close\r\n"));
    }

    [Test]
    public async Task ATcpCheckTakesWhoeverAccepts()
    {
        await using FleetOrigin listening = new();
        ProxyConfig config = ProxyFixture.Config(Transport, listening.Address, Origins.ClosedAddress());
        config = config with { Clusters = new Dictionary<string, ClusterConfig> { ["app"] = config.Clusters["app"] with { HealthCheck = new() { Kind = HealthCheckKind.Tcp } } } };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config, Time);
        Assert.That(await proxy.Log.NextAsync(Token), Is.EqualTo("cluster app: destination d1 is unhealthy: connect: Refused"));
        Assert.That(StatusOf(proxy, 0), Is.EqualTo(DestinationStatus.Eligible));
    }

    [TestCase(50, new[] { 5, 5, 5, 5 })]
    [TestCase(0, new[] { 20, 0, 0, 0 })]
    public async Task WithTooFewHealthyAllAreUsedAboveThePanicThresholdAlone(int percent, int[] expected)
    {
        FleetOrigin[] origins = [new(), new(FleetOrigin.Bad), new(FleetOrigin.Bad), new(FleetOrigin.Bad)];
        await using (ProxyFixture proxy = await StartAsync(Checked with { PanicThresholdPercent = percent }, origins))
        {
            foreach (FleetOrigin origin in origins) await origin.ProbeEndedAsync(proxy, Token);
            Assert.That(await SharesAsync(proxy, 20, origins), Is.EqualTo(expected));
        }
        foreach (FleetOrigin origin in origins) await origin.DisposeAsync();
    }

    [Test]
    public async Task TheNextTierServesWhenTheFirstIsUnhealthy()
    {
        await using FleetOrigin first = new(), second = new();
        await using ProxyFixture proxy = await StartAsync(Checked, i => new DestinationConfig { Address = "", Tier = i }, first, second);
        await first.ProbeEndedAsync(proxy, Token);
        await second.ProbeEndedAsync(proxy, Token);
        Assert.That(await SharesAsync(proxy, 10, first, second), Is.EqualTo([10, 0]));
        first.ProbeAnswer = FleetOrigin.Bad;
        for (int i = 0; i < 3; i++) await ProbeAgainAsync(proxy, first, second);
        Assert.That(await SharesAsync(proxy, 10, first, second), Is.EqualTo([0, 10]));
    }
}
