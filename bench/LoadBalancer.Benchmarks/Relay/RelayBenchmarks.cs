using System.Text;
using BenchmarkDotNet.Attributes;
using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Http1;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoadBalancer.Benchmarks.Relay;

/// <summary>What does a whole request cost without the kernel: parse, route, pick, both heads rewritten, relay, completion?</summary>
[MemoryDiagnoser]
public class RelayBenchmarks
{
    private byte[] _request = [], _answer = [];
    private MemoryConnection _client = null!, _upstream = null!;

    /// <summary>Request and answer: a small one, a browser's, and two of 16 KiB.</summary>
    [Params("small", "browser", "16 KiB", "16 KiB chunked")]
    public string Shape { get; set; } = "small";

    /// <summary>Opens a connection on each side.</summary>
    [GlobalSetup]
    public void Setup()
    {
        var head = new Http.RequestHeadBenchmarks { Shape = Shape == "browser" ? "browser" : "minimal" };
        head.Setup();
        _request = head.Bytes;
        _answer = Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nServer: origin\r\nContent-Type: text/plain\r\n" + Shape switch
        {
            "16 KiB" => "Content-Length: 16384\r\n\r\n" + new string('x', 16384),
            "16 KiB chunked" => "Transfer-Encoding: chunked\r\n\r\n4000\r\n" + new string('x', 16384) + "\r\n0\r\n\r\n",
            _ => "Content-Length: 128\r\n\r\n" + new string('x', 128),
        });

        var config = new ProxyConfig
        {
            Listeners = new Dictionary<string, ListenerConfig> { ["web"] = new() { Address = "127.0.0.1:80", Limits = new() { RequestsPerConnectionMax = 0, ConnectionAgeMax = TimeSpan.Zero } } },
            Routes = new Dictionary<string, RouteConfig> { ["all"] = new() { Cluster = "app" } },
            Clusters = new Dictionary<string, ClusterConfig>
            {
                ["app"] = new() { Pool = new() { LifeMax = TimeSpan.Zero }, Destinations = new Dictionary<string, DestinationConfig> { ["a"] = new() { Address = "127.0.0.1:81" } } },
            },
        };
        var server = new ProxyServer(config, NullLoggerFactory.Instance);
        var loop = new MemoryLoop();
        var context = new LoopContext(server, loop, loopCount: 1);
        _client = new MemoryConnection(loop);
        new Http1Connection(context, server.Snapshot.Listeners[0], _client).Start();
        _client.Feed(_request);
        _upstream = loop.LastOutbound ?? throw new InvalidOperationException("no connection was opened");
        _upstream.Feed(_answer);
        if (_client.WrittenBytes < 128) throw new InvalidOperationException("no answer was relayed");
    }

    /// <summary>One request and its answer.</summary>
    [Benchmark]
    public long Relay()
    {
        _client.Feed(_request);
        _upstream.Feed(_answer);
        return _client.WrittenBytes;
    }
}
