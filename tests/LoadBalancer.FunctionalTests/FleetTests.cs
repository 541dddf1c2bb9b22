using LoadBalancer.Balancing;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>What fixtures share that look at several destinations, under time that moves only when told to.</summary>
public abstract class FleetTests(TransportKind transport)
{
    protected static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    protected FakeTimeProvider Time { get; } = new();

    protected TransportKind Transport => transport;

    [SetUp]
    public void SkipWhereUnsupported() => Transports.Require(transport);

    /// <summary>A balancer, round-robin without slow start where the cluster says nothing else, before destinations d0, d1, …</summary>
    internal async Task<ProxyFixture> StartAsync(ClusterConfig cluster, params FleetOrigin[] origins) =>
        await StartAsync(cluster, _ => new DestinationConfig { Address = "" }, origins);

    internal Task<ProxyFixture> StartAsync(ClusterConfig cluster, Func<int, DestinationConfig> destination, params FleetOrigin[] origins)
    {
        ProxyConfig config = ProxyFixture.Config(transport);
        var destinations = origins.Index().ToDictionary(o => $"d{o.Index}", o => destination(o.Index) with { Address = o.Item.Address });
        TimeSpan slowStart = cluster.SlowStart == new ClusterConfig().SlowStart ? TimeSpan.Zero : cluster.SlowStart;
        return ProxyFixture.StartAsync(config with
        {
            Clusters = new Dictionary<string, ClusterConfig> { ["app"] = cluster with { Balance = "round-robin", SlowStart = slowStart, Destinations = destinations } },
        }, Time);
    }

    /// <summary>Statuses of so many requests, one after the other on one connection.</summary>
    internal static async Task<string[]> AskAsync(ProxyFixture proxy, int requests, string target = "/")
    {
        using RawClient client = await proxy.ConnectAsync(Token);
        var statuses = new string[requests];
        for (int i = 0; i < requests; i++)
        {
            await client.SendAsync($"GET {target} HTTP/1.1\r\nHost: h\r\n\r\n", Token);
            statuses[i] = (await client.ReadResponseAsync(Token)).Split(' ')[1];
        }
        return statuses;
    }

    /// <summary>How many of so many requests each destination gets.</summary>
    internal static async Task<int[]> SharesAsync(ProxyFixture proxy, int requests, params FleetOrigin[] origins)
    {
        int[] before = [.. origins.Select(o => o.Requests)];
        await AskAsync(proxy, requests);
        return [.. origins.Select((o, i) => o.Requests - before[i])];
    }

    internal static DestinationStatus StatusOf(ProxyFixture proxy, int destination) => proxy.Server.Snapshot.Clusters[0].Scheduler.Destinations[destination].Status;

    /// <summary>Passes when the loop has done what was due before.</summary>
    internal static async Task SettleAsync(ProxyFixture proxy)
    {
        // What was sent before has been read once a later connection of the same loop was answered.
        using RawClient other = await proxy.ConnectAsync(Token);
        await other.SendAsync("GET / HTTP/1.1\r\n\r\n", Token);
        await other.ReadToEndAsync(Token);
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.BadRequest));
        await proxy.Server.Contexts[0].LeasedSlabsAsync(Token);
    }
}

/// <summary>A destination whose answers to requests and to probes (of /health) can be changed while it runs.</summary>
internal sealed class FleetOrigin : IAsyncDisposable
{
    internal const string Good = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", Bad = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";

    private readonly ScriptedOrigin _origin;
    private readonly SemaphoreSlim _arrived = new(0), _ended = new(0);
    private volatile string _answer = Good;
    private volatile string? _probeAnswer;
    private int _requests, _probes;

    internal FleetOrigin(string? probeAnswer = Good)
    {
        _probeAnswer = probeAnswer;
        _origin = new ScriptedOrigin(ServeAsync);
    }

    internal string Address => _origin.Address;

    /// <summary>What requests are answered.</summary>
    internal string Answer { set => _answer = value; }

    /// <summary>What probes are answered; null for nothing.</summary>
    internal string? ProbeAnswer { set => _probeAnswer = value; }

    internal int Requests => Volatile.Read(ref _requests);

    internal int Probes => Volatile.Read(ref _probes);

    internal string? ProbeHead { get; private set; }

    internal Task ProbeArrivedAsync(CancellationToken token) => _arrived.WaitAsync(token);

    /// <summary>Passes when one more probe has ended and the balancer has drawn its conclusion.</summary>
    internal async Task ProbeEndedAsync(ProxyFixture proxy, CancellationToken token)
    {
        await _ended.WaitAsync(token);
        // The verdict is reached in the turn of the loop in which the connection is closed.
        await proxy.Server.Contexts[0].LeasedSlabsAsync(token);
    }

    private async Task ServeAsync(RawClient connection, int number, CancellationToken token)
    {
        while (true)
        {
            string head = await connection.ReadUntilAsync("\r\n\r\n", token);
            if (!head.StartsWith("GET /health ", StringComparison.Ordinal))
            {
                Interlocked.Increment(ref _requests);
                await connection.SendAsync(_answer, token);
                continue;
            }
            ProbeHead = head;
            Interlocked.Increment(ref _probes);
            _arrived.Release();
            if (_probeAnswer is { } answer) await connection.SendAsync(answer, token);
            if (_probeAnswer?.Contains("close-delimited", StringComparison.Ordinal) == true) connection.HalfClose();
            await connection.ReadToEndAsync(token);
            _ended.Release();
            return;
        }
    }

    public ValueTask DisposeAsync() => _origin.DisposeAsync();
}
