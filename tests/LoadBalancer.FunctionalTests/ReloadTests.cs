using System.Net;
using LoadBalancer.Balancing;
using LoadBalancer.Core;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Policies;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>Another configuration while clients are served: what changes, and what must not.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase), CancelAfter(60_000)]
public sealed class ReloadTests(TransportKind transport) : ReloadFixture(transport)
{
    [Test]
    public async Task AKeptConnectionGoesByTheNewRoutesFromItsNextRequestOn()
    {
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(Config() with { Routes = Saying("one") });
        using RawClient client = await proxy.ConnectAsync(Token);
        Assert.That(await AskAsync(client), Does.EndWith("one"));
        ReloadResult result = await proxy.Server.ReloadAsync(proxy.Server.Config with { Routes = Saying("two") });
        Assert.That(result.Changes, Is.EqualTo([new ConfigChange("routes.all", ConfigChangeKind.Changed)]));
        Assert.That(await AskAsync(client), Does.EndWith("two"));
    }

    [Test]
    public async Task ARequestUnderWayEndsAsItBegan()
    {
        await using var origin = new HeldOrigin();
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(Config(origin.Address));
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(Get, Token);
        await origin.ArrivedAsync(Token);
        await proxy.Server.ReloadAsync(proxy.Server.Config with { Routes = Saying("new"), Clusters = new Dictionary<string, ClusterConfig>() });
        origin.Answer(HeldOrigin.Ok("old"));
        Assert.That(await client.ReadResponseAsync(Token), Does.EndWith("old"));
        Assert.That(await AskAsync(client), Does.EndWith("new"));
    }

    [Test]
    public async Task TheSameConfigurationChangesNothing()
    {
        await using var origin = new EchoOrigin();
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(Config(origin.Address));
        using RawClient client = await proxy.ConnectAsync(Token);
        await AskAsync(client);
        ClusterSnapshot cluster = proxy.Server.Snapshot.Clusters[0];
        ReloadResult result = await proxy.Server.ReloadAsync(Config(origin.Address));
        await AskAsync(client);
        Assert.That((result.HasChanged, proxy.Server.Snapshot.Clusters[0], origin.Connections), Is.EqualTo((false, cluster, 1)));
    }

    [Test]
    public async Task AClusterKeepsItsConnectionsAndWhatItHasLearnedThroughAChangeOfItsTimes()
    {
        await using var origin = new EchoOrigin();
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(Config(origin.Address));
        using RawClient client = await proxy.ConnectAsync(Token);
        await AskAsync(client);
        Destination destination = proxy.Server.Snapshot.Clusters[0].Scheduler.Destinations[0];
        await ChangeAsync(proxy, cluster => cluster with { IdleTimeout = TimeSpan.FromSeconds(7), RetriesMax = 1 });
        await AskAsync(client);
        Assert.That((origin.Connections, proxy.Server.Snapshot.Clusters[0].Scheduler.Destinations[0]), Is.EqualTo((1, destination)));
        Assert.That(proxy.Server.Snapshot.Clusters[0].IdleMilliseconds, Is.EqualTo(7000));
    }

    [Test]
    public async Task AnotherPoolGetsConnectionsOfItsOwnAndTheDestinationKeepsItsCounts()
    {
        await using var origin = new EchoOrigin();
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(Config(origin.Address));
        using RawClient client = await proxy.ConnectAsync(Token);
        await AskAsync(client);
        await ChangeAsync(proxy, cluster => cluster with { Pool = new() { IdleConnectionsMax = 1 } });
        await AskAsync(client);
        await proxy.TurnAsync(Token);
        Assert.That(origin.Connections, Is.EqualTo(2));
        Assert.That(proxy.Server.DescribeTraffic().Destinations[0].Connects, Is.EqualTo(2));
    }

    [Test]
    public async Task MembersOfOtherSourcesAndDrainedOnesStayWhatTheyAre()
    {
        await using FleetOrigin a = new(), b = new();
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(Config(a.Address));
        proxy.Server.UpdateDestinations("app", "dns", new Dictionary<string, DestinationConfig> { ["b"] = new() { Address = b.Address } });
        proxy.Server.SetDraining("app", "d0", draining: true);
        await ChangeAsync(proxy, cluster => cluster with { Balance = "round-robin", RetriesMax = 0 });
        Assert.That(proxy.MembersOf("app"), Is.EqualTo(["d0", "b"]));
        Assert.That(await FleetTests.SharesAsync(proxy, 4, a, b), Is.EqualTo([0, 4]));
    }

    [Test]
    public async Task AnotherPolicyOfBalancingPicksFromTheNextRequestOn()
    {
        await using FleetOrigin a = new(), b = new();
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(Config(a.Address, b.Address));
        await ChangeAsync(proxy, cluster => cluster with { Balance = "first" });
        Assert.That(await FleetTests.SharesAsync(proxy, 6, a, b), Is.EqualTo([6, 0]));
        await ChangeAsync(proxy, cluster => cluster with { Balance = "round-robin" });
        Assert.That(await FleetTests.SharesAsync(proxy, 6, a, b), Is.EqualTo([3, 3]));
    }

    [Test]
    public async Task DestinationsThatGoFinishWhatTheyHave()
    {
        await using var held = new HeldOrigin();
        await using var origin = new EchoOrigin();
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(Config(held.Address));
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(Get, Token);
        await held.ArrivedAsync(Token);
        await ChangeAsync(proxy, cluster => cluster with { Destinations = new Dictionary<string, DestinationConfig> { ["new"] = new() { Address = origin.Address } } });
        held.Answer(HeldOrigin.Ok("old"));
        Assert.That(await client.ReadResponseAsync(Token), Does.EndWith("old"));
        await AskAsync(client);
        Assert.That(origin.Requests, Is.EqualTo(1));
    }

    [Test]
    public async Task WhoWaitsInTheQueueIsServedThoughTheQueueIsTakenAway()
    {
        await using var held = new HeldOrigin();
        ProxyConfig config = Config(held.Address);
        ClusterConfig cluster = config.Clusters["app"] with { Queue = new() { RequestsMax = 10, Timeout = TimeSpan.FromSeconds(30) }, Destinations = new Dictionary<string, DestinationConfig> { ["d0"] = new() { Address = held.Address, RequestsMax = 1 } } };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config with { Clusters = Clusters(cluster) });
        using RawClient first = await proxy.ConnectAsync(Token), second = await proxy.ConnectAsync(Token), third = await proxy.ConnectAsync(Token);
        await first.SendAsync(Get, Token);
        await held.ArrivedAsync(Token);
        await second.SendAsync(Get, Token);
        while (!proxy.Server.Snapshot.Clusters[0].Queue!.IsUsed) await proxy.TurnAsync(Token);
        await ChangeAsync(proxy, _ => cluster with { Queue = new() });
        held.Answer(HeldOrigin.Ok("1"));
        await held.ArrivedAsync(Token);
        Assert.That(await AskAsync(third), Does.StartWith("HTTP/1.1 503"));
        held.Answer(HeldOrigin.Ok("2"));
        Assert.That((await first.ReadResponseAsync(Token))[^1], Is.EqualTo('1'));
        Assert.That((await second.ReadResponseAsync(Token))[^1], Is.EqualTo('2'));
    }

    [Test]
    public async Task ARemovedHealthCheckNoLongerKeepsADestinationOut()
    {
        await using FleetOrigin a = new(), b = new();
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(Config(a.Address, b.Address));
        await ChangeAsync(proxy, cluster => cluster with { Balance = "round-robin", HealthCheck = new() { Path = "/health", Interval = TimeSpan.FromHours(1) } });
        await a.ProbeEndedAsync(proxy, Token);
        await b.ProbeEndedAsync(proxy, Token);
        Scheduler scheduler = proxy.Server.Snapshot.Clusters[0].Scheduler;
        scheduler.Mark(scheduler.Destinations[0], DestinationStatus.Unhealthy, hold: true, 0);
        await ChangeAsync(proxy, cluster => cluster with { RetriesMax = 1 });
        Assert.That(await FleetTests.SharesAsync(proxy, 4, a, b), Is.EqualTo([0, 4]), "the check is the same, and so is what it has found");
        await ChangeAsync(proxy, cluster => cluster with { HealthCheck = null });
        Assert.That(await FleetTests.SharesAsync(proxy, 4, a, b), Is.EqualTo([2, 2]));
    }

    [Test]
    public async Task ANewHealthCheckIsMadeAndAChangedOneGoesOnFromWhatIsKnown()
    {
        await using FleetOrigin origin = new();
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(Config(origin.Address));
        await ChangeAsync(proxy, cluster => cluster with { HealthCheck = new() { Path = "/health", Interval = TimeSpan.FromHours(1) } });
        await origin.ProbeArrivedAsync(Token);
        await ChangeAsync(proxy, cluster => cluster with { HealthCheck = new() { Path = "/health", Interval = TimeSpan.FromHours(2) } });
        await origin.ProbeArrivedAsync(Token);
        await ChangeAsync(proxy, cluster => cluster with { RetriesMax = 1 });
        Assert.That(origin.Probes, Is.EqualTo(2));
    }

    [Test]
    public async Task ListenersComeAndGo()
    {
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(Config() with { Routes = Saying("here") });
        using RawClient idle = await proxy.ConnectAsync(Token);
        await AskAsync(idle);
        EndPoint first = proxy.EndPoint;
        await proxy.Server.ReloadAsync(proxy.Server.Config with { Listeners = new Dictionary<string, ListenerConfig> { ["main"] = proxy.Server.Config.Listeners["main"], ["more"] = new() { Address = "127.0.0.1:0" } } });
        Assert.That(proxy.EndPoint, Is.EqualTo(first));
        using (RawClient client = await RawClient.ConnectAsync(proxy.Server.Endpoints["more"], Token)) Assert.That(await AskAsync(client), Does.EndWith("here"));
        await AskAsync(idle);
        await proxy.Server.ReloadAsync(proxy.Server.Config with { Listeners = new Dictionary<string, ListenerConfig> { ["more"] = new() { Address = "127.0.0.1:0" } } });
        Assert.That(await idle.ReadToEndAsync(Token), Is.Empty, "a connection that waits for a request ends");
        Assert.ThrowsAsync<System.Net.Sockets.SocketException>(() => RawClient.ConnectAsync(first, Token));
        using (RawClient client = await RawClient.ConnectAsync(proxy.Server.Endpoints["more"], Token)) Assert.That(await AskAsync(client), Does.EndWith("here"));
    }

    [Test]
    public async Task AnAddressKeepsItsSocketsUnderAnotherNameAndTwoMayTradePlaces()
    {
        string a = $"127.0.0.1:{SystemProgram.FreePort()}", b = $"127.0.0.1:{SystemProgram.FreePort()}";
        var routes = new Dictionary<string, RouteConfig>
        {
            ["one"] = new() { Listeners = ["one"], Respond = new() { Status = 200, Body = "one" } }, ["two"] = new() { Listeners = ["two"], Respond = new() { Status = 200, Body = "two" } },
        };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(Config() with { Listeners = Named(("one", a), ("two", b)), Routes = routes });
        using RawClient client = await RawClient.ConnectAsync(IPEndPoint.Parse(a), Token);
        Assert.That(await AskAsync(client), Does.EndWith("one"));
        await proxy.Server.ReloadAsync(proxy.Server.Config with { Listeners = Named(("one", b), ("two", a)) });
        Assert.That(await AskAsync(client), Does.EndWith("two"));
        Assert.That(proxy.Server.Endpoints["two"], Is.EqualTo(IPEndPoint.Parse(a)));
    }

    [Test]
    public async Task WhatIsWrongChangesNothing()
    {
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(Config() with { Routes = Saying("good") });
        using RawClient client = await proxy.ConnectAsync(Token);
        ProxyConfig config = proxy.Server.Config, bad = config with { Routes = new Dictionary<string, RouteConfig> { ["all"] = new() { Cluster = "missing" } } };
        ConfigException refused = Assert.ThrowsAsync<ConfigException>(() => proxy.Server.ReloadAsync(bad))!;
        Assert.That(refused.Problems[0].Path, Is.EqualTo("routes.all.cluster"));
        Assert.Throws<ConfigException>(() => proxy.Server.TryOut(bad));
        ProxyConfig taken = config with { Routes = Saying("bad"), Listeners = Named(("main", config.Listeners["main"].Address), ("free", "127.0.0.1:0"), ("taken", proxy.EndPoint.ToString()!)) };
        Assert.That(Assert.ThrowsAsync<ListenException>(() => proxy.Server.ReloadAsync(taken))!.Message, Does.Contain("taken"));
        Assert.That((await AskAsync(client), proxy.Server.Config), Is.EqualTo((await AskAsync(client), config)));
        Assert.That(await AskAsync(client), Does.EndWith("good"));
        Assert.That(proxy.Server.Endpoints.Keys, Is.EqualTo(["main"]));
    }

    [Test]
    public async Task TryingOutSaysWhatWouldChangeAndChangesNothing()
    {
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(Config() with { Routes = Saying("good") });
        ProxyConfig config = proxy.Server.Config;
        ReloadResult result = proxy.Server.TryOut(config with { Routes = Saying("other"), BansMax = 7, DrainTimeout = TimeSpan.FromSeconds(1), Listeners = Named(("main", config.Listeners["main"].Address), ("new", "127.0.0.1:0")) });
        Assert.That(result.Changes.Select(change => $"{change}"), Is.EqualTo(["listeners.new added", "routes.all changed", "bansMax changed", "drainTimeout changed"]));
        Assert.That(result.NeedRestart, Is.EqualTo(["bansMax"]));
        Assert.That(proxy.Server.Config, Is.EqualTo(config));
        using RawClient client = await proxy.ConnectAsync(Token);
        Assert.That(await AskAsync(client), Does.EndWith("good"));
    }

    [Test]
    public async Task LimitsKeepTheirCountsAndAChangedOneBeginsAnew()
    {
        var limits = new Dictionary<string, LimitConfig> { ["few"] = new() { Rate = "2/h", Burst = 2, Key = ["ip"] } };
        var routes = new Dictionary<string, RouteConfig> { ["all"] = new() { Limits = new Dictionary<string, int> { ["few"] = 1 }, Respond = new() { Status = 200, Body = "x" } } };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(Config() with { Routes = routes, Limits = limits });
        using RawClient client = await proxy.ConnectAsync(Token);
        Assert.That(await StatusesAsync(client, 3), Is.EqualTo([200, 200, 429]));
        await proxy.Server.ReloadAsync(proxy.Server.Config with { DrainTimeout = TimeSpan.FromSeconds(3), Limits = new Dictionary<string, LimitConfig>(limits) });
        Assert.That(await StatusesAsync(client, 1), Is.EqualTo([429]));
        await proxy.Server.ReloadAsync(proxy.Server.Config with { Limits = new Dictionary<string, LimitConfig> { ["few"] = limits["few"] with { Rate = "3/h", Burst = 3 } } });
        Assert.That(await StatusesAsync(client, 4), Is.EqualTo([200, 200, 200, 429]));
    }

    [Test]
    public async Task ACacheKeepsWhatItHasAndIsPurgedByTheNewRoutes()
    {
        await using FleetOrigin origin = new() { Answer = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 2\r\n\r\nok" };
        ProxyConfig config = Config(origin.Address) with { Caches = new Dictionary<string, CacheConfig> { ["c"] = new() { MemoryBytesMax = 1 << 20 } }, Routes = new Dictionary<string, RouteConfig> { ["all"] = new() { Cluster = "app", Cache = new() } } };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config);
        using RawClient client = await proxy.ConnectAsync(Token);
        await AskAsync(client);
        await proxy.Server.ReloadAsync(config with { Routes = new Dictionary<string, RouteConfig> { ["all"] = config.Routes["all"] with { Deadline = TimeSpan.FromSeconds(9) } } });
        await AskAsync(client);
        Assert.That(origin.Requests, Is.EqualTo(1));
        Assert.That(proxy.Server.PurgeCache(null, new CachePurge("http://h/", null, All: false)), Is.EqualTo(1));
        await AskAsync(client);
        await proxy.Server.ReloadAsync(proxy.Server.Config with { Caches = new Dictionary<string, CacheConfig> { ["c"] = new() { MemoryBytesMax = 2 << 20 } } });
        await AskAsync(client);
        Assert.That(origin.Requests, Is.EqualTo(3), "another cache is empty");
    }

    [Test]
    public async Task APolicyStaysWhileItIsTheSameAndEndsWithTheLastRequestThatHasIt()
    {
        await using var origin = new HeldOrigin();
        var kept = new CountingPolicy();
        var replaced = new CountingPolicy();
        ProxyConfig config = Config(origin.Address) with
        {
            Policies = new Dictionary<string, PolicyConfig> { ["kept"] = new CustomPolicyConfig(kept), ["other"] = new CustomPolicyConfig(replaced) },
            Routes = new Dictionary<string, RouteConfig> { ["all"] = new() { Cluster = "app", Policies = ["kept", "other"] } },
        };
        await using (ProxyFixture proxy = await ProxyFixture.StartAsync(config))
        {
            using RawClient client = await proxy.ConnectAsync(Token);
            await client.SendAsync(Get, Token);
            await origin.ArrivedAsync(Token);
            await proxy.Server.ReloadAsync(config with { Policies = new Dictionary<string, PolicyConfig> { ["kept"] = new CustomPolicyConfig(kept), ["other"] = new CustomPolicyConfig(new CountingPolicy()) } });
            await proxy.TurnAsync(Token);
            Assert.That(replaced.Disposed.IsCompleted, Is.False, "a request has it still");
            origin.Answer(HeldOrigin.Ok("x"));
            await client.ReadResponseAsync(Token);
            await replaced.Disposed.WaitAsync(Token);
            Assert.That((kept.Requests, kept.Disposed.IsCompleted), Is.EqualTo((1, false)));
        }
        Assert.That(kept.Disposed.IsCompleted);
    }

    [Test]
    public async Task WebSocketsAndTcpConnectionsLiveOnThoughTheirListenersAreGone()
    {
        await using var origin = new ScriptedOrigin(async (connection, _, token) =>
        {
            string head = await connection.ReadUntilAsync("\r\n\r\n", token);
            if (head.Contains("Upgrade", StringComparison.Ordinal)) await connection.SendAsync("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", token);
            while (true) await connection.SendAsync(await connection.ReadAsync(1, token), token);
        });
        var listeners = new Dictionary<string, ListenerConfig> { ["main"] = new() { Address = "127.0.0.1:0" }, ["tcp"] = new() { Address = "127.0.0.1:0", Tcp = new() { Cluster = "app" } }, ["last"] = new() { Address = "127.0.0.1:0" } };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(Config(origin.Address) with { Listeners = listeners });
        using RawClient socket = await proxy.ConnectAsync(Token), tcp = await RawClient.ConnectAsync(proxy.Server.Endpoints["tcp"], Token);
        await socket.SendAsync("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", Token);
        await socket.ReadUntilAsync("\r\n\r\n", Token);
        await tcp.SendAsync("\r\n\r\na", Token);
        Assert.That(await tcp.ReadAsync(1, Token), Is.EqualTo("a"));
        await proxy.Server.ReloadAsync(proxy.Server.Config with { Listeners = new Dictionary<string, ListenerConfig> { ["last"] = listeners["last"] }, Routes = Saying("x"), Clusters = new Dictionary<string, ClusterConfig>() });
        foreach (RawClient client in new[] { socket, tcp })
        {
            await client.SendAsync("b", Token);
            Assert.That(await client.ReadAsync(1, Token), Is.EqualTo("b"));
        }
    }

    [Test]
    public async Task CountsGoOnAndThoseOfRoutesThatAreGoneEnd()
    {
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(Config() with { Routes = Saying("x") });
        using RawClient client = await proxy.ConnectAsync(Token);
        await AskAsync(client);
        await proxy.Server.ReloadAsync(proxy.Server.Config with { Routes = Saying("y") });
        await AskAsync(client);
        await proxy.TurnAsync(Token);
        RequestTraffic traffic = proxy.Server.DescribeTraffic().Requests.Single();
        Assert.That((traffic.Route, traffic.ByClass.Sum()), Is.EqualTo(("all", 2)));
        await proxy.Server.ReloadAsync(proxy.Server.Config with { Routes = new Dictionary<string, RouteConfig> { ["new"] = Saying("z")["all"] } });
        await AskAsync(client);
        await proxy.TurnAsync(Token);
        Assert.That(proxy.Server.DescribeTraffic().Requests.Select(one => (one.Route, one.ByClass.Sum())), Is.EqualTo([("new", 1L)]));
        Assert.That(proxy.Server.DescribeTraffic().Listeners.Single() is { Open: 1, Accepted: 1 });
    }

    [Test]
    public async Task AnotherCertificateIsShownAndAConnectionThatThereIsStays()
    {
        using TestCertificate first = new("first.test"), second = new("second.test");
        ListenerConfig listener = new() { Address = "127.0.0.1:0", Tls = new() { Certificates = [new() { File = first.Pem }] } };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(Config() with { Listeners = new Dictionary<string, ListenerConfig> { ["main"] = listener }, Routes = Saying("x") });
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.StartTlsAsync("h", Token);
        await AskAsync(client);
        await proxy.Server.ReloadAsync(proxy.Server.Config with { Listeners = new Dictionary<string, ListenerConfig> { ["main"] = listener with { Tls = new() { Certificates = [new() { File = second.Pem }] } } }, Routes = Saying("y") });
        Assert.That(await AskAsync(client), Does.EndWith("y"));
        using RawClient other = await proxy.ConnectAsync(Token);
        await other.StartTlsAsync("h", Token);
        Assert.That(other.ServerCertificate!.Subject, Does.Contain("second.test"));
        Assert.That(proxy.Server.DescribeCertificates().Select(one => one.File), Is.EqualTo([second.Pem]));
    }

    [Test]
    public async Task AListenerThatIsForSomethingElseByNowEndsConnectionsOfBefore()
    {
        using TestCertificate certificate = new("a.test");
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(Config() with { Routes = Saying("x") });
        using RawClient plain = await proxy.ConnectAsync(Token);
        await AskAsync(plain);
        await proxy.Server.ReloadAsync(proxy.Server.Config with { Listeners = new Dictionary<string, ListenerConfig> { ["main"] = new() { Address = "127.0.0.1:0", Tls = new() { Certificates = [new() { File = certificate.Pem }] } } } });
        Assert.That(await plain.ReadToEndAsync(Token), Is.Empty);
        using RawClient secure = await proxy.ConnectAsync(Token);
        await secure.StartTlsAsync("h", Token);
        Assert.That(await AskAsync(secure), Does.EndWith("x"));
    }

    [Test]
    public async Task AClientThatAListKeepsOutByNowIsRefusedOnItsKeptConnection()
    {
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(Config() with { Routes = Saying("x") });
        using RawClient client = await proxy.ConnectAsync(Token);
        await AskAsync(client);
        await proxy.Server.ReloadAsync(proxy.Server.Config with
        {
            AddressLists = new Dictionary<string, AddressListConfig> { ["bad"] = new() { Addresses = ["127.0.0.0/8"] } },
            Listeners = new Dictionary<string, ListenerConfig> { ["main"] = new() { Address = "127.0.0.1:0", Access = new() { Block = ["bad"] } } },
        });
        Assert.That(await AskAsync(client), Does.StartWith("HTTP/1.1 403"));
    }

    [Test]
    public async Task RecordsGoToAnotherObserver()
    {
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(Config() with { Routes = Saying("x") });
        var other = new CompletionCollector();
        using RawClient client = await proxy.ConnectAsync(Token);
        await AskAsync(client);
        await proxy.Completions.NextAsync(Token);
        await proxy.Server.SetObserverAsync(other);
        await AskAsync(client);
        Assert.That((await other.NextAsync(Token)).Reason, Is.EqualTo(EndReason.Responded));
    }

    [Test]
    public async Task AServerThatHasStoppedTakesNoConfiguration()
    {
        ProxyFixture proxy = await ProxyFixture.StartAsync(Config() with { Routes = Saying("x") });
        await proxy.DisposeAsync();
        Assert.ThrowsAsync<InvalidOperationException>(() => proxy.Server.ReloadAsync(proxy.Server.Config));
    }

    // Each reload changes something of everything; nothing may fail, and nothing be left behind.
    [Test, Category("Slow"), CancelAfter(240_000)]
    public async Task AThousandReloadsUnderLoadFailNoRequestAndLeaveNothing()
    {
        const int Clients = 8;
        int reloads = Transport == TransportKind.Epoll ? 1000 : 200; // the second opinion need not take as long
        await using EchoOrigin first = new(), second = new();
        ProxyConfig config = Config(first.Address, second.Address);
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config);
        using var done = new CancellationTokenSource();
        Task<int>[] clients = [.. Enumerable.Range(0, Clients).Select(_ => Task.Run(() => LoadAsync(proxy, done.Token)))];
        long memoryBefore = 0;
        int descriptorsBefore = 0;
        for (int i = 1; i <= reloads; i++)
        {
            bool isOdd = i % 2 == 1;
            await proxy.Server.ReloadAsync(config with
            {
                Listeners = new Dictionary<string, ListenerConfig> { ["main"] = config.Listeners["main"] with { Backlog = 500 + i }, [$"l{i}"] = new() { Address = "127.0.0.1:0" } },
                Routes = new Dictionary<string, RouteConfig>
                {
                    [$"r{i}"] = new() { Path = "/never", Cluster = $"c{i}", Cache = new() },
                    ["all"] = new() { Cluster = "app", Deadline = TimeSpan.FromSeconds(20 + i % 7), Limits = new Dictionary<string, int> { ["l"] = 1 }, Policies = ["p"] },
                },
                Clusters = new Dictionary<string, ClusterConfig>
                {
                    ["app"] = config.Clusters["app"] with { Balance = isOdd ? "round-robin" : "latency-weighted", RetriesMax = 1 + i % 3 },
                    [$"c{i}"] = new() { Destinations = new Dictionary<string, DestinationConfig> { ["d"] = new() { Address = first.Address } }, HealthCheck = new() { Interval = TimeSpan.FromSeconds(1) } },
                },
                Limits = new Dictionary<string, LimitConfig> { ["l"] = new() { Rate = $"{900_000 + i}/s", Key = ["ip"], KeysMax = 1024 } },
                Caches = new Dictionary<string, CacheConfig> { ["c"] = new() { MemoryBytesMax = (1 << 20) + i } },
                Policies = new Dictionary<string, PolicyConfig> { ["p"] = new CustomPolicyConfig(new CountingPolicy()) },
            });
            if (i != reloads / 10) continue;
            (memoryBefore, descriptorsBefore) = (Memory(), Descriptors());
        }
        int moreDescriptors = Descriptors() - descriptorsBefore;
        await done.CancelAsync();
        int[] served = await Task.WhenAll(clients);
        long grown = Memory() - memoryBefore; // without what requests under way still use
        TestContext.Out.WriteLine($"{served.Sum()} requests, {grown} bytes more, {moreDescriptors} descriptors more after {reloads * 9 / 10} reloads");
        Assert.That(served, Is.All.GreaterThan(0));
        Assert.That(grown, Is.LessThan(4 << 20), "one kept snapshot for each reload would be ten times that");
        Assert.That(moreDescriptors, Is.LessThan(100), "a socket left for each reload would be 900");
        Assert.That(proxy.Server.Endpoints, Has.Count.EqualTo(2));
    }

    private static long Memory()
    {
        for (int i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        return GC.GetTotalMemory(forceFullCollection: true);
    }

    private static int Descriptors() => Directory.Exists("/proc/self/fd") ? Directory.GetFileSystemEntries("/proc/self/fd").Length : 0;

    private static async Task<int> LoadAsync(ProxyFixture proxy, CancellationToken done)
    {
        int served = 0;
        using RawClient client = await proxy.ConnectAsync(Token);
        while (!done.IsCancellationRequested)
        {
            await client.SendAsync("GET /bytes/100 HTTP/1.1\r\nHost: h\r\n\r\n", Token);
            Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 200"));
            served++;
            if (served % 64 != 0) continue;
            using RawClient fresh = await proxy.ConnectAsync(Token);
            await fresh.SendAsync("GET /bytes/100 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", Token);
            Assert.That(await fresh.ReadToEndAsync(Token), Does.StartWith("HTTP/1.1 200"));
        }
        return served;
    }

    private static Dictionary<string, ListenerConfig> Named(params (string Name, string Address)[] listeners) => listeners.ToDictionary(one => one.Name, one => new ListenerConfig { Address = one.Address });

    private static Dictionary<string, ClusterConfig> Clusters(ClusterConfig cluster) => new() { ["app"] = cluster };

    private static Task<ReloadResult> ChangeAsync(ProxyFixture proxy, Func<ClusterConfig, ClusterConfig> change) =>
        proxy.Server.ReloadAsync(proxy.Server.Config with { Clusters = Clusters(change(proxy.Server.Config.Clusters["app"])) });

    private static async Task<int[]> StatusesAsync(RawClient client, int requests)
    {
        int[] statuses = new int[requests];
        for (int i = 0; i < requests; i++) statuses[i] = int.Parse((await AskAsync(client)).Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
        return statuses;
    }

    private sealed class CountingPolicy : IRequestPolicy, IDisposable
    {
        private readonly TaskCompletionSource _disposed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _requests;

        internal int Requests => Volatile.Read(ref _requests);

        internal Task Disposed => _disposed.Task;

        public ValueTask<PolicyAnswer?> OnRequestAsync(RequestContext context)
        {
            Interlocked.Increment(ref _requests);
            return default;
        }

        public void Dispose() => _disposed.TrySetResult();
    }
}
