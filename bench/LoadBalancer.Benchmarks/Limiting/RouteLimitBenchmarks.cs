using System.Text;
using BenchmarkDotNet.Attributes;
using LoadBalancer.Benchmarks.Relay;
using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Forwarding;
using LoadBalancer.Core.Http1;
using LoadBalancer.Core.Protection.Limits;
using LoadBalancer.Core.Transport;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoadBalancer.Benchmarks.Limiting;

/// <summary>What do the limits of a route cost a request, keys and fields for the client included?</summary>
[MemoryDiagnoser]
public class RouteLimitBenchmarks
{
    private const string Head = "GET /path?q=1 HTTP/1.1\r\nHost: example.com\r\nUser-Agent: test\r\nAccept: */*\r\nX-Forwarded-For: 192.0.2.7, 127.0.0.1\r\nX-Api-Key: 00000000\r\n\r\n";
    private readonly byte[] _head = Encoding.ASCII.GetBytes(Head);
    private readonly int _keyAt = Head.IndexOf("00000000", StringComparison.Ordinal);
    private readonly Dictionary<string, (Exchange Exchange, RouteLimits Limits)> _routes = [];
    private uint _next;

    /// <summary>Clients that come in an order that no cache foresees; the tables have room for four times as many.</summary>
    [Params(1 << 14, 1 << 20)]
    public int Clients { get; set; }

    /// <summary>A route for each benchmark, whose limits know all clients.</summary>
    [GlobalSetup]
    public void Setup()
    {
        LimitConfig byKey = new() { Rate = "900000/s", Key = ["header:X-Api-Key"], KeysMax = 4 * Clients }, byAddress = byKey with { Key = ["ip"] };
        var limits = new Dictionary<string, LimitConfig>
        {
            ["bucket"] = byKey, ["window"] = byKey with { Algorithm = LimitAlgorithm.SlidingWindow }, ["places"] = byKey with { Rate = null, Concurrency = 100 },
            ["silent"] = byKey with { Headers = false }, ["address"] = byAddress,
        };
        var routes = limits.Keys.Select(name => (Name: name, Names: new[] { name })).Append((Name: "three", Names: ["address", "bucket", "places"]))
            .ToDictionary(route => route.Name, route => new RouteConfig { Path = $"/{route.Name}", Respond = new(), Limits = route.Names.ToDictionary(name => name, _ => 1) });
        var config = new ProxyConfig
        {
            Transport = new() { Kind = TransportKind.Sockets, Loops = 1 },
            Listeners = new Dictionary<string, ListenerConfig> { ["main"] = new() { Address = "127.0.0.1:0" } },
            Limits = limits,
            Routes = routes,
        };
        var server = new ProxyServer(config, NullLoggerFactory.Instance);
        var loop = new MemoryLoop();
        var context = new LoopContext(server, loop, 1);
        var client = new Http1Connection(context, server.Snapshot.Listeners[0], new MemoryConnection(loop));
        foreach (RouteSnapshot route in server.Snapshot.Routes)
        {
            Exchange exchange = context.LeaseExchange();
            exchange.Begin(client);
            exchange.Request.Parse(_head, server.Snapshot.Listeners[0].HeadLimits);
            exchange.Head = _head;
            exchange.Route = route;
            exchange.Record.StartTimestamp = 1;
            _routes[route.Name] = (exchange, route.Limits!);
            for (int i = 0; i < Clients; i++) Ask(route.Name);
        }
    }

    private bool Ask(string route)
    {
        (Exchange exchange, RouteLimits limits) = _routes[route];
        _next = _next * 1664525 + 1013904223 & (uint)(Clients - 1);
        uint key = _next;
        for (int i = 0; i < 8; i++) _head[_keyAt + i] = (byte)('A' + (key >> (i * 4) & 15));
        exchange.Record.StartTimestamp += 2000;
        bool isAllowed = limits.TryEnter(exchange, out _);
        exchange.Limits!.Leave();
        return isAllowed;
    }

    /// <summary>A rate by a header, with RateLimit fields.</summary>
    [Benchmark(Baseline = true)]
    public bool Bucket() => Ask("bucket");

    /// <summary>The same without the fields.</summary>
    [Benchmark]
    public bool BucketWithoutFields() => Ask("silent");

    /// <summary>A sliding window.</summary>
    [Benchmark]
    public bool Window() => Ask("window");

    /// <summary>A place, taken and given back.</summary>
    [Benchmark]
    public bool Concurrency() => Ask("places");

    /// <summary>A rate by the address, which is known already.</summary>
    [Benchmark]
    public bool Address() => Ask("address");

    /// <summary>Three limits: by address, by header, and of places.</summary>
    [Benchmark]
    public bool Three() => Ask("three");

    /// <summary>What the others have beside the limits: the request's key is made.</summary>
    [Benchmark]
    public uint Nothing()
    {
        (Exchange exchange, _) = _routes["bucket"];
        _next = _next * 1664525 + 1013904223 & (uint)(Clients - 1);
        for (int i = 0; i < 8; i++) _head[_keyAt + i] = (byte)('A' + (_next >> (i * 4) & 15));
        exchange.Record.StartTimestamp += 2000;
        return _next;
    }
}
