using System.Collections.Concurrent;
using System.Net;
using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Policies;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>How long what a configuration has brought lasts after a reload: neither too short, for who still uses it, nor too long, for who must go by the new one.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase), CancelAfter(60_000)]
public sealed class ReloadLifetimeTests(TransportKind transport) : ReloadFixture(transport)
{
    [Test]
    public async Task WhatARequestOfTwoConfigurationsAgoUsesStays()
    {
        await using var origin = new HeldOrigin();
        var dropped = new Policy();
        ProxyConfig config = Config(origin.Address) with
        {
            Policies = new Dictionary<string, PolicyConfig> { ["p"] = new CustomPolicyConfig(dropped) },
            Routes = new Dictionary<string, RouteConfig> { ["all"] = new() { Cluster = "app", Policies = ["p"] } },
        };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(Get, Token);
        await origin.ArrivedAsync(Token);
        await proxy.Server.ReloadAsync(config with { DrainTimeout = TimeSpan.FromSeconds(9) }); // has the policy too, and no requests
        await proxy.Server.ReloadAsync(Config(origin.Address));
        await proxy.TurnAsync(Token);
        Assert.That(dropped.Disposed.IsCompleted, Is.False, "the first request has it still");
        origin.Answer(HeldOrigin.Ok("x"));
        await client.ReadResponseAsync(Token);
        await dropped.Disposed.WaitAsync(Token);
    }

    [Test]
    public async Task WhatALaterConfigurationAloneHasHadDoesNotWaitForAnOlderRequest()
    {
        await using var origin = new HeldOrigin();
        var later = new Policy();
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(Config(origin.Address));
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(Get, Token);
        await origin.ArrivedAsync(Token);
        await proxy.Server.ReloadAsync(Config(origin.Address) with { Policies = new Dictionary<string, PolicyConfig> { ["p"] = new CustomPolicyConfig(later) } });
        await proxy.Server.ReloadAsync(Config(origin.Address));
        await later.Disposed.WaitAsync(Token);
        origin.Answer(HeldOrigin.Ok("x"));
        await client.ReadResponseAsync(Token);
    }

    [Test]
    public async Task AReloadThatIsRefusedDisposesOfNothingThatItWasGiven()
    {
        using var taken = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var given = new Policy();
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(Config() with { Routes = Saying("x") });
        ProxyConfig next = proxy.Server.Config with { Policies = new Dictionary<string, PolicyConfig> { ["p"] = new CustomPolicyConfig(given) } };
        Assert.ThrowsAsync<ListenException>(() => proxy.Server.ReloadAsync(next with { Listeners = new Dictionary<string, ListenerConfig>(next.Listeners) { ["taken"] = new() { Address = taken.LocalEndpoint.ToString()! } } }));
        Assert.That(given.Disposed.IsCompleted, Is.False);
        await proxy.Server.ReloadAsync(next);
        Assert.That(given.Disposed.IsCompleted, Is.False);
    }

    [Test]
    public async Task AReloadThatIsRefusedLeavesTheDiskOfARunningCacheAlone()
    {
        using var taken = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        string folder = Directory.CreateTempSubdirectory("lb-reload-").FullName;
        try
        {
            var cache = new CacheConfig { MemoryBytesMax = 1 << 20, Disk = new() { Path = folder } };
            ProxyConfig config = Config() with { Routes = Saying("x"), Caches = new Dictionary<string, CacheConfig> { ["c"] = cache } };
            await using (ProxyFixture proxy = await ProxyFixture.StartAsync(config))
            {
                Assert.ThrowsAsync<ListenException>(() => proxy.Server.ReloadAsync(config with
                {
                    Caches = new Dictionary<string, CacheConfig> { ["c"] = cache with { MemoryBytesMax = 2 << 20 } },
                    Listeners = new Dictionary<string, ListenerConfig>(config.Listeners) { ["taken"] = new() { Address = taken.LocalEndpoint.ToString()! } },
                }));
            }
            await using ProxyFixture another = await ProxyFixture.StartAsync(config); // the folder is free again once its server has stopped
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Test]
    public async Task WhoHasShownNoCertificateIsNotServedOnceOneIsAskedFor()
    {
        using TestAuthority authority = new();
        using TestCertificate certificate = new("a.test");
        var tls = new TlsConfig { Certificates = [new() { File = certificate.Pem }] };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(Config() with { Routes = Saying("x"), Listeners = Listening(l => l with { Tls = tls }) });
        using RawClient used = await proxy.ConnectAsync(Token), fresh = await proxy.ConnectAsync(Token);
        await used.StartTlsAsync("a.test", Token);
        await AskAsync(used);
        await fresh.StartTlsAsync("a.test", Token);
        await proxy.Server.ReloadAsync(proxy.Server.Config with { Listeners = Listening(l => l with { Tls = tls with { ClientCertificates = new() { Ca = authority.Root } } }) });
        Assert.That(await used.ReadToEndAsync(Token), Is.Empty);
        Assert.That(await fresh.ReadToEndAsync(Token), Is.Empty);
    }

    [Test]
    public async Task AListThatKeepsOutHoldsForAConnectionWhoseRequestCameMeanwhile()
    {
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(Config() with { Routes = Saying("x") });
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync(Get[..10], Token);
        await proxy.TurnAsync(Token);
        await proxy.Server.ReloadAsync(proxy.Server.Config with
        {
            AddressLists = new Dictionary<string, AddressListConfig> { ["bad"] = new() { Addresses = ["127.0.0.0/8"] } },
            Listeners = Listening(l => l with { Access = new() { Block = ["bad"] } }),
        });
        await client.SendAsync(Get[10..], Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 200"), "it began before");
        Assert.That(await AskAsync(client), Does.StartWith("HTTP/1.1 403"));
    }

    [Test]
    public async Task AKeptConnectionGoesByTheNewNumberOfRequests()
    {
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(Config() with { Routes = Saying("x") });
        using RawClient client = await proxy.ConnectAsync(Token);
        await AskAsync(client);
        await proxy.Server.ReloadAsync(proxy.Server.Config with { Listeners = Listening(l => l with { Limits = new() { RequestsPerConnectionMax = 2 } }) });
        Assert.That(await AskAsync(client), Does.Contain("Connection: close"));
    }

    [Test]
    public async Task WhoHasJustConnectedIsAnsweredThoughTheListenerGoes()
    {
        ProxyConfig config = Config() with { Routes = Saying("x"), Listeners = new Dictionary<string, ListenerConfig> { ["main"] = new() { Address = "127.0.0.1:0" }, ["going"] = new() { Address = "127.0.0.1:0" } } };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config, new Microsoft.Extensions.Time.Testing.FakeTimeProvider(DateTimeOffset.UtcNow));
        using RawClient client = await RawClient.ConnectAsync(proxy.Server.Endpoints["going"], Token);
        while (proxy.Server.Contexts.Sum(context => context.ConnectionCount) == 0) await proxy.TurnAsync(Token); // accepted
        await proxy.Server.ReloadAsync(config with { Routes = Saying("new"), Listeners = new Dictionary<string, ListenerConfig> { ["main"] = config.Listeners["main"] } });
        await client.SendAsync(Get, Token);
        string answer = await client.ReadResponseAsync(Token);
        Assert.That(answer, Does.EndWith("x"), "by the listener that it came to");
        Assert.That(answer, Does.Contain("Connection: close"));
        Assert.That(await client.ReadToEndAsync(Token), Is.Empty);
    }

    [Test]
    public async Task AnotherPathIsAskedForTheLoadFromThenOn()
    {
        var asked = new ConcurrentQueue<string>();
        var isAsked = new SemaphoreSlim(0);
        await using var origin = new ScriptedOrigin(async (connection, _, token) =>
        {
            while (true)
            {
                string head = await connection.ReadUntilAsync("\r\n\r\n", token);
                await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", token);
                string path = head.Split(' ')[1];
                if (path == "/") continue;
                asked.Enqueue(path);
                isAsked.Release();
            }
        });
        ProxyConfig config = Config(origin.Address);
        ProxyConfig Probing(string path) => config with { Clusters = new Dictionary<string, ClusterConfig> { ["app"] = config.Clusters["app"] with { Balance = "prequal", Probe = new() { Path = path } } } };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(Probing("/one"));
        using RawClient client = await proxy.ConnectAsync(Token);
        await AskAsync(client);
        await isAsked.WaitAsync(Token);
        await proxy.Server.ReloadAsync(Probing("/two"));
        while (!asked.Contains("/two"))
        {
            await AskAsync(client);
            await isAsked.WaitAsync(Token);
            Assert.That(asked, Has.Count.LessThan(50));
        }
    }

    [Test]
    public async Task WhoWaitsInANewQueueIsWokenByARequestThatIsOlderThanIt()
    {
        await using var held = new HeldOrigin();
        ProxyConfig config = Config(held.Address);
        ClusterConfig cluster = config.Clusters["app"] with { Destinations = new Dictionary<string, DestinationConfig> { ["d0"] = new() { Address = held.Address, RequestsMax = 1 } } };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config with { Clusters = new Dictionary<string, ClusterConfig> { ["app"] = cluster } });
        using RawClient first = await proxy.ConnectAsync(Token), second = await proxy.ConnectAsync(Token);
        await first.SendAsync(Get, Token);
        await held.ArrivedAsync(Token);
        await proxy.Server.ReloadAsync(proxy.Server.Config with { Clusters = new Dictionary<string, ClusterConfig> { ["app"] = cluster with { Queue = new() { RequestsMax = 10, Timeout = TimeSpan.FromMinutes(5) } } } });
        await second.SendAsync(Get, Token);
        while (!proxy.Server.Snapshot.Clusters[0].Queue!.IsUsed) await proxy.TurnAsync(Token);
        held.Answer(HeldOrigin.Ok("1"));
        await held.ArrivedAsync(Token);
        held.Answer(HeldOrigin.Ok("2"));
        Assert.That((await second.ReadResponseAsync(Token))[^1], Is.EqualTo('2'));
    }

    [Test]
    public async Task ThatDestinationsAreNotVerifiedIsToldOnce()
    {
        ProxyConfig config = Config();
        ClusterConfig cluster = config.Clusters["app"] with { Tls = new() { Verify = false } };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config with { Clusters = new Dictionary<string, ClusterConfig> { ["app"] = cluster } });
        Assert.That(await proxy.Log.NextAsync(Token), Does.Contain("app"));
        await proxy.Server.ReloadAsync(proxy.Server.Config with { Clusters = new Dictionary<string, ClusterConfig> { ["app"] = cluster with { RetriesMax = 0 } } });
        Assert.That(proxy.Log.HasNotes, Is.False);
    }

    private static Dictionary<string, ListenerConfig> Listening(Func<ListenerConfig, ListenerConfig> with) => new() { ["main"] = with(new() { Address = "127.0.0.1:0" }) };

    private sealed class Policy : IRequestPolicy, IDisposable
    {
        private readonly TaskCompletionSource _disposed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal Task Disposed => _disposed.Task;

        public ValueTask<PolicyAnswer?> OnRequestAsync(RequestContext context) => default;

        public void Dispose() => _disposed.TrySetResult();
    }
}
