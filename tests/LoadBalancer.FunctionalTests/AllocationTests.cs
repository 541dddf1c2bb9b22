using System.Security.Cryptography.X509Certificates;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Policies;
using LoadBalancer.Gateway.Headers;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

[TestFixture]
[NonParallelizable]
[CancelAfter(60_000)]
public sealed class AllocationTests
{
    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    /// <summary>Counts on the loop's own thread, so that what the test's client and origin allocate does not show.</summary>
#if DEBUG
    [Ignore("a debug build allocates for every asynchronous method: run with -c Release")]
#endif
    [TestCase(1, "GET /path?q=1 HTTP/1.1\r\nHost: example.com\r\nUser-Agent: test\r\nAccept: */*\r\n\r\n", "")]
    [TestCase(32, "GET /path?q=1 HTTP/1.1\r\nHost: example.com\r\nUser-Agent: test\r\nAccept: */*\r\n\r\n", "")]
    [TestCase(8, "POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 4\r\n\r\nbody", "")]
    // A body that comes after its head is streamed.
    [TestCase(8, "POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 4\r\n\r\n", "body")]
    [TestCase(8, "POST / HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: chunked\r\n\r\n", "4\r\nbody\r\n0\r\n\r\n")]
    public async Task KeepAliveRequest_SteadyState_AllocatesNothing(int connections, string head, string body)
    {
        await MeasureAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", connections, head, body, requests: 10_000);
    }

#if DEBUG
    [Ignore("a debug build allocates for every asynchronous method: run with -c Release")]
#endif
    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n", "")]
    [TestCase("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n493e0\r\n", "\r\n0\r\n\r\n")]
    public async Task LongAnswer_SteadyState_AllocatesNothing(string head, string end)
    {
        await MeasureAsync(head + new string('x', 300_000) + end, 8, "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n", "", requests: 500);
    }

    /// <summary>A request that brings its cookie along.</summary>
#if DEBUG
    [Ignore("a debug build allocates for every asynchronous method: run with -c Release")]
#endif
    [Test]
    public async Task StickyRequest_SteadyState_AllocatesNothing()
    {
        const string Key = "a key of a good length";
        await MeasureAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 1, "GET / HTTP/1.1\r\nHost: example.com\r\nCookie: a=b; lb={cookie}\r\n\r\n", "", requests: 10_000,
            config => config with { Clusters = new Dictionary<string, ClusterConfig> { ["app"] = config.Clusters["app"] with { Sticky = new() { Cookie = "lb", Keys = [Key] } } } });
    }

#if DEBUG
    [Ignore("a debug build allocates for every asynchronous method: run with -c Release")]
#endif
    [Test]
    public async Task KeepAliveRequest_OnAConnectionWithItsProxyHeader_AllocatesNothing()
    {
        await MeasureAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 8, "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n", "", requests: 10_000,
            config => config with { Clusters = new Dictionary<string, ClusterConfig> { ["app"] = config.Clusters["app"] with { ProxyProtocol = ProxyProtocolVersion.V1 } } });
    }

#if DEBUG
    [Ignore("a debug build allocates for every asynchronous method: run with -c Release")]
#endif
    [TestCase("/path?q=1", "")]
    [TestCase("/a%2Fb//c", "X-Forwarded-For: 2001:db8::1, 192.0.2.1, 127.0.0.1\r\n", Description = "the path is decoded, the client is looked for")]
    public async Task KeepAliveRequest_OfAListenerWithListsAndRules_AllocatesNothing(string target, string fields)
    {
        await MeasureAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 8, $"GET {target} HTTP/1.1\r\nHost: example.com\r\nUser-Agent: test\r\n{fields}\r\n", "", requests: 10_000,
            config => config with
            {
                AddressLists = new Dictionary<string, AddressListConfig> { ["bad"] = new() { Addresses = ["198.51.100.0/24", "2001:db8::/32"] } },
                BlockRules = new Dictionary<string, BlockRuleConfig>
                {
                    ["a"] = new() { Paths = ["/admin/**", "*.php"], UserAgents = ["*bot*", "*map*"], Headers = new Dictionary<string, string> { ["x-a"] = "*" } },
                    ["b"] = new() { Addresses = ["bad"], Hosts = ["*.com"] },
                    ["dry"] = new() { Hosts = ["*.com"], DryRun = true },
                },
                AutoBan = new() { Refusals = 10 },
                Listeners = new Dictionary<string, ListenerConfig>
                {
                    ["main"] = config.Listeners["main"] with { Access = new() { Block = ["bad"] }, PerSource = new() { ConnectionsMax = 100 }, TrustedProxies = fields.Length > 0 ? ["127.0.0.1"] : [] },
                },
            });
    }

#if DEBUG
    [Ignore("a debug build allocates for every asynchronous method: run with -c Release")]
#endif
    [TestCase(RequestIdAcceptance.Never)]
    [TestCase(RequestIdAcceptance.Always)]
    public async Task KeepAliveRequest_WithIds_AllocatesNothing(RequestIdAcceptance accept)
    {
        await MeasureAsync("HTTP/1.1 200 OK\r\nX-Request-Id: b\r\nContent-Length: 2\r\n\r\nok", 8,
            "GET / HTTP/1.1\r\nHost: h\r\nX-Request-Id: a\r\nReferer: http://h/\r\nUser-Agent: test\r\ntraceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n\r\n", "", requests: 10_000,
            config => config with { RequestId = new() { Accept = accept } });
    }

#if DEBUG
    [Ignore("a debug build allocates for every asynchronous method: run with -c Release")]
#endif
    [Test]
    public async Task KeepAliveRequest_OfARouteThatLogsBodies_AllocatesNothing()
    {
        await MeasureAsync("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok", 8, "GET / HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n\r\n", "", requests: 10_000,
            config => config with
            {
                AccessLog = new(),
                Routes = new Dictionary<string, RouteConfig> { ["all"] = new() { Cluster = "app", LogBody = new() } },
            });
    }

    // A delay that is fixed, and one that is learned; time stands still, so none passes.
#if DEBUG
    [Ignore("a debug build allocates for every asynchronous method: run with -c Release")]
#endif
    [Test]
    public async Task KeepAliveRequest_OfAClusterThatHedges_AllocatesNothing([Values("20s", "p99")] string after)
    {
        await MeasureAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 8, "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n", "", requests: 10_000,
            config => config with { Clusters = new Dictionary<string, ClusterConfig> { ["app"] = config.Clusters["app"] with { Hedge = new() { After = after } } } },
            new FakeTimeProvider());
    }

    // Each kind of limit and each part of a key, behind a trusted proxy.
#if DEBUG
    [Ignore("a debug build allocates for every asynchronous method: run with -c Release")]
#endif
    [TestCase(1)]
    [TestCase(8)]
    public async Task KeepAliveRequest_OfARouteWithLimits_AllocatesNothing(int connections)
    {
        string[] key = ["ip", "header:x-key", "cookie:session", "path", "host", "method", "route"];
        const string Head = "GET /path?q=1 HTTP/1.1\r\nHost: Example.com\r\nX-Forwarded-For: 2001:db8::1, 192.0.2.7, 127.0.0.1\r\nX-Key: abc\r\nCookie: a=b; session=c\r\n\r\n";
        await MeasureAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", connections, Head, "", requests: 10_000,
            config => config with
            {
                Listeners = new Dictionary<string, ListenerConfig> { ["main"] = config.Listeners["main"] with { TrustedProxies = ["127.0.0.0/8"] } },
                Clusters = new Dictionary<string, ClusterConfig> { ["app"] = config.Clusters["app"] with { Concurrency = new() } },
                Limits = new Dictionary<string, LimitConfig>
                {
                    ["bucket"] = new() { Rate = "900000/s", Key = key },
                    ["window"] = new() { Rate = "900000/s", Key = key, Algorithm = LimitAlgorithm.SlidingWindow },
                    ["places"] = new() { Concurrency = 100, Key = key },
                    ["dry"] = new() { Rate = "1/h", Key = key, DryRun = true },
                },
                Routes = new Dictionary<string, RouteConfig> { ["all"] = new() { Cluster = "app", Limits = new Dictionary<string, int> { ["bucket"] = 2, ["window"] = 1, ["places"] = 1, ["dry"] = 1 } } },
            });
    }

#if DEBUG
    [Ignore("a debug build allocates for every asynchronous method: run with -c Release")]
#endif
    [TestCase(1)]
    [TestCase(8)]
    public async Task KeepAliveRequest_OfARouteWithPolicies_AllocatesNothing(int connections)
    {
        const string Head = "GET /users/7?q=1 HTTP/1.1\r\nHost: Example.com\r\nX-Key: abc\r\nX-Drop: 1\r\n\r\n";
        await MeasureAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Secret: 1\r\n\r\nok", connections, Head, "", requests: 10_000,
            config => config with
            {
                Policies = new Dictionary<string, PolicyConfig>
                {
                    ["headers"] = new HeadersConfig { Request = new() { Set = new Dictionary<string, string> { ["X-Key"] = "new", ["X-More"] = "1" }, Remove = ["X-Drop"] }, Response = new() { Remove = ["X-Secret"], Add = new Dictionary<string, string> { ["X-Out"] = "1" } } },
                    ["look"] = new CustomPolicyConfig(new LookingPolicy()),
                },
                Routes = new Dictionary<string, RouteConfig> { ["all"] = new() { Cluster = "app", Policies = ["headers", "look"] } },
            });
    }

    private sealed class LookingPolicy : IRequestPolicy
    {
        public ValueTask<PolicyAnswer?> OnRequestAsync(RequestContext context) =>
            context.Method == "GET" && context.Path.SequenceEqual("/users/7"u8) && context.Query.SequenceEqual("q=1"u8) && context.Fields.TryGet("x-key"u8, out ReadOnlySpan<byte> value) && value.SequenceEqual("new"u8)
                ? default : throw new InvalidOperationException("it is not what it was");
    }

    // One copy at a time, so that no pool has to grow later: the others are left out.
#if DEBUG
    [Ignore("a debug build allocates for every asynchronous method: run with -c Release")]
#endif
    [TestCase(1)]
    [TestCase(8)]
    public async Task KeepAliveRequest_OfARouteThatMirrors_AllocatesNothing(int connections)
    {
        await using ScriptedOrigin shadow = ScriptedOrigin.Answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        await MeasureAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", connections, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody", "", requests: 10_000,
            config => config with
            {
                Clusters = new Dictionary<string, ClusterConfig>
                {
                    ["app"] = config.Clusters["app"],
                    ["shadow"] = new() { Destinations = new Dictionary<string, DestinationConfig> { ["s"] = new() { Address = shadow.Address } } },
                },
                Routes = new Dictionary<string, RouteConfig> { ["all"] = new() { Cluster = "app", Mirror = new() { Cluster = "shadow", RequestsMax = 1 } } },
            });
    }

#if DEBUG
    [Ignore("a debug build allocates for every asynchronous method: run with -c Release")]
#endif
    [Test]
    public async Task LoadProbes_SteadyState_AllocateNothing()
    {
        const string Answer = "HTTP/1.1 200 OK\r\nEndpoint-Load-Metrics: TEXT named_metrics.rif=3, named_metrics.latency_ms=2.5\r\nContent-Length: 2\r\n\r\nok";
        await MeasureAsync(Answer, 1, "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n", "", requests: 2000,
            config => config with { Clusters = new Dictionary<string, ClusterConfig> { ["app"] = config.Clusters["app"] with { Balance = "prequal", Probe = new() { InFlightMax = 3 } } } });
    }

    // What the test's own client does with a record is its own thread's business.
#if DEBUG
    [Ignore("a debug build allocates for every asynchronous method: run with -c Release")]
#endif
    [TestCase(1, 2, 10_000)]
    [TestCase(8, 2, 10_000)]
    [TestCase(4, 100_000, 1000)]
    public async Task RequestOverTls_SteadyState_AllocatesNothing(int connections, int length, int requests)
    {
        using var certificate = new TestCertificate("a.test");
        await MeasureAsync($"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{new string('x', length)}", connections, "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n", "", requests,
            config => config with { Listeners = new Dictionary<string, ListenerConfig> { ["main"] = config.Listeners["main"] with { Tls = new() { Certificates = [new() { File = certificate.Pem }], HttpsOnly = new() } } } });
    }

#if DEBUG
    [Ignore("a debug build allocates for every asynchronous method: run with -c Release")]
#endif
    [TestCase(1, 2, 10_000)]
    [TestCase(8, 2, 10_000)]
    [TestCase(4, 100_000, 1000)]
    public async Task RequestOverTlsToTheDestination_SteadyState_AllocatesNothing(int connections, int length, int requests)
    {
        using var authority = new TestAuthority();
        await MeasureAsync($"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{new string('x', length)}", connections, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody", "", requests,
            config => config with { Clusters = new Dictionary<string, ClusterConfig> { ["app"] = config.Clusters["app"] with { Tls = new() { Ca = authority.Root } } } },
            destination: authority.Issue(["127.0.0.1"]));
    }

    // What is asked for first is fetched while the server warms up.
#if DEBUG
    [Ignore("a debug build allocates for every asynchronous method: run with -c Release")]
#endif
    [TestCase(1, 1024, "", 10_000)]
    [TestCase(8, 65_536, "", 2000)]
    [TestCase(1, 1024, "Accept-Encoding: gzip\r\nIf-None-Match: \"v0\"\r\nCache-Control: max-age=3600\r\nRange: bytes=1-9\r\n", 10_000)]
    public async Task CacheHit_SteadyState_AllocatesNothing(int connections, int length, string lines, int requests)
    {
        await MeasureAsync($"HTTP/1.1 200 OK\r\nCache-Control: max-age=36000\r\nVary: Accept-Encoding\r\nETag: \"v1\"\r\nContent-Length: {length}\r\n\r\n{new string('x', length)}", connections,
            $"GET /a?b=c HTTP/1.1\r\nHost: example.com\r\n{lines}\r\n", "", requests,
            config => config with
            {
                Caches = new Dictionary<string, CacheConfig> { ["main"] = new() },
                Routes = new Dictionary<string, RouteConfig> { ["all"] = new() { Cluster = "app", Cache = new() { Query = CacheKeyQuery.Sorted, KeyCookies = ["a"] } } },
            });
    }

    private static async Task MeasureAsync(
        string answer, int connections, string head, string body, int requests, Func<ProxyConfig, ProxyConfig>? change = null, TimeProvider? time = null,
        X509Certificate2? destination = null)
    {
        Transports.Require(TransportKind.Epoll);
        // One round in which every connection is at the same point at once, so that no pool has to grow later.
        int headsMissing = connections, requestsMissing = connections;
        TaskCompletionSource allHeads = new(), allRequests = new();
        await using var origin = new ScriptedOrigin(async (connection, _, token) =>
        {
            byte[] bytes = System.Text.Encoding.Latin1.GetBytes(answer);
            if (destination is not null) await connection.AcceptTlsAsync(ScriptedOrigin.TlsOptions(destination), token);
            while (true)
            {
                // The proxy passes heads on in other words, and bodies as they are.
                await connection.ReadUntilAsync("\r\n\r\n", token);
                if (Interlocked.Decrement(ref headsMissing) == 0) allHeads.SetResult();
                if (body.Length > 0) await connection.ReadUntilAsync(body, token);
                else if (head.EndsWith("body", StringComparison.Ordinal)) await connection.ReadAsync(4, token);
                if (Interlocked.Decrement(ref requestsMissing) == 0) allRequests.SetResult();
                await allRequests.Task;
                await connection.SendAsync(bytes, token);
            }
        });
        ProxyConfig config = ProxyFixture.Config(TransportKind.Epoll, origin.Address);
        ListenerConfig listener = config.Listeners["main"] with { Limits = new() { RequestsPerConnectionMax = 0 } };
        config = config with { Listeners = new Dictionary<string, ListenerConfig> { ["main"] = listener } };
        if (change is not null) config = change(config);
        var meter = new LoopThreadMeter();
        await using var server = new Core.ProxyServer(config, new ErrorLog(), meter, time);
        await server.StartAsync(Token);
        RawClient[] clients = await Task.WhenAll(Enumerable.Range(0, connections).Select(_ => RawClient.ConnectAsync(server.Endpoints["main"], Token)));
        if (config.Listeners["main"].Tls is not null) await Task.WhenAll(clients.Select(client => client.StartTlsAsync("a.test", Token)));
        if (head.Contains("{cookie}", StringComparison.Ordinal))
        {
            await clients[0].SendAsync(head, Token);
            string first = await clients[0].ReadResponseAsync(Token);
            head = head.Replace("{cookie}", first.Split("lb=")[1].Split(';')[0], StringComparison.Ordinal);
        }
        async Task RunAsync(int each)
        {
            await Task.WhenAll(clients.Select(async client =>
            {
                for (int i = 0; i < each; i++)
                {
                    await client.SendAsync(head, Token);
                    await allHeads.Task;
                    if (body.Length > 0) await client.SendAsync(body, Token);
                    await client.ReadResponseAsync(Token);
                }
            }));
        }

        await RunAsync(Math.Max(20, requests / 5 / connections)); // tiered compilation and pools settle
        // A wait that chance first brings about now takes its place in a pool, once. What a request allocates shows every time.
        long allocated = 0;
        for (int window = 0; window < 3; window++)
        {
            long before = meter.AllocatedBytes;
            await RunAsync(requests / connections);
            allocated = meter.AllocatedBytes - before;
            if (allocated == 0) break;
        }
        Assert.That(allocated, Is.Zero);
        foreach (RawClient client in clients) client.Dispose();
    }

    private sealed class LoopThreadMeter : Core.AccessLog.ICompletionObserver
    {
        private long _allocatedBytes;

        internal long AllocatedBytes => Volatile.Read(ref _allocatedBytes);

        public void OnCompleted(Core.AccessLog.CompletionRecord record) => Volatile.Write(ref _allocatedBytes, GC.GetAllocatedBytesForCurrentThread());
    }
}
