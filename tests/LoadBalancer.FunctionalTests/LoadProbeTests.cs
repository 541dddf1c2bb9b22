using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>Probes of destinations' load, for prequal.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
[CancelAfter(30_000)]
public sealed class LoadProbeTests(TransportKind transport) : IDisposable
{
    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    private readonly FakeTimeProvider _time = new();
    private readonly SemaphoreSlim _answered = new(0);

    [SetUp]
    public void SkipWhereUnsupported() => Transports.Require(transport);

    public void Dispose() => _answered.Dispose();

    [Test]
    public async Task TheLessLoadedDestinationGetsTheRequests()
    {
        await using LoadOrigin busy = new(LoadOrigin.Report(rif: 40, milliseconds: 90), _answered), calm = new(LoadOrigin.Report(rif: 2, milliseconds: 9), _answered);
        await using ProxyFixture proxy = await StartAsync(new(), busy, calm);
        using RawClient client = await proxy.ConnectAsync(Token);
        await AskAsync(client, proxy, busy, calm);
        int before = busy.Requests;
        for (int i = 0; i < 50; i++) await AskAsync(client, proxy, busy, calm);
        Assert.That(busy.Requests - before, Is.Zero);

        (busy.Answer, calm.Answer) = (LoadOrigin.Report(rif: 2, milliseconds: 9), LoadOrigin.Report(rif: 40, milliseconds: 90));
        for (int i = 0; i < 5; i++) await AskAsync(client, proxy, busy, calm);
        before = calm.Requests;
        for (int i = 0; i < 50; i++) await AskAsync(client, proxy, busy, calm);
        Assert.That(calm.Requests - before, Is.Zero, "the load is the other's now");
    }

    [Test]
    public async Task ProbesAreGetRequestsOnKeptConnections()
    {
        await using var origin = new LoadOrigin(LoadOrigin.Report(1, 1), _answered);
        await using ProxyFixture proxy = await StartAsync(new() { Path = "/load?full=1", Host = "probe.example" }, origin);
        using RawClient client = await proxy.ConnectAsync(Token);
        for (int i = 0; i < 20; i++) await AskAsync(client, proxy, origin);
        Assert.That(origin.ProbeHead, Is.EqualTo("GET /load?full=1 HTTP/1.1\r\nHost: probe.example\r\nUser-Agent: lb-load-probe\r\nAccept: */*\r\n\r\n"));
        Assert.That((origin.Probes, origin.Requests), Is.EqualTo((60, 20)), "three for each pick");
        Assert.That(origin.Connections, Is.AtMost(4), "three probes and a request at once");
    }

    // Any answer that is no clear report: requests go on as if nobody had probed, and nothing breaks.
    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Description = "no report")]
    [TestCase("HTTP/1.1 200 OK\r\nendpoint-load-metrics: TEXT named_metrics.rif=-1, named_metrics.latency_ms=NaN\r\nContent-Length: 0\r\n\r\n")]
    [TestCase("HTTP/1.1 200 OK\r\nendpoint-load-metrics: TEXT named_metrics.rif=0, named_metrics.latency_ms=0\r\nEndpoint-Load-Metrics: TEXT named_metrics.rif=0, named_metrics.latency_ms=0\r\nContent-Length: 0\r\n\r\n", Description = "two")]
    [TestCase("HTTP/1.1 404 Not Found\r\nendpoint-load-metrics: TEXT named_metrics.rif=0, named_metrics.latency_ms=0\r\nContent-Length: 0\r\n\r\n")]
    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", Description = "a body too long to wait for")]
    [TestCase("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")]
    [TestCase("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")]
    [TestCase("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n", Description = "more than was asked for")]
    [TestCase("220 smtp ready\r\n\r\n")]
    public async Task AnAnswerThatIsNoReportIsHarmless(string answer)
    {
        await using LoadOrigin odd = new(answer, _answered), good = new(LoadOrigin.Report(1, 1), _answered);
        await using ProxyFixture proxy = await StartAsync(new(), odd, good);
        using RawClient client = await proxy.ConnectAsync(Token);
        for (int i = 0; i < 60; i++) await AskAsync(client, proxy, odd, good);
        Assert.That(odd.Requests, Is.InRange(5, 55), "drawn by chance, as one report is no pool");
    }

    [Test]
    public async Task ProbesWithoutAnswerDelayNobodyAndAreBounded()
    {
        await using var silent = new LoadOrigin(null, _answered);
        await using ProxyFixture proxy = await StartAsync(new() { InFlightMax = 4, Timeout = TimeSpan.FromSeconds(1) }, silent);
        using RawClient client = await proxy.ConnectAsync(Token);
        for (int i = 0; i < 10; i++) await AskAsync(client, proxy);
        await silent.ProbesArrivedAsync(4, Token);
        Assert.That(silent.Probes, Is.EqualTo(4));

        _time.Advance(TimeSpan.FromSeconds(1.1));
        await silent.ProbesEndedAsync(4, Token);
        await proxy.TurnAsync(Token);
        await AskAsync(client, proxy);
        await silent.ProbesArrivedAsync(4, Token);
        Assert.That(silent.Probes, Is.EqualTo(8), "those that timed out made room");
    }

    private Task<ProxyFixture> StartAsync(LoadProbeConfig probe, params LoadOrigin[] origins)
    {
        ProxyConfig config = ProxyFixture.Config(transport, [.. origins.Select(origin => origin.Address)]);
        return ProxyFixture.StartAsync(config with
        {
            Clusters = new Dictionary<string, ClusterConfig> { ["app"] = config.Clusters["app"] with { Balance = "prequal", Probe = probe } },
        }, _time);
    }

    /// <summary>One request; then the three probes that it makes due have been answered, where the origins that answer are given.</summary>
    private async Task AskAsync(RawClient client, ProxyFixture proxy, params LoadOrigin[] origins)
    {
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 200"));
        if (origins.Length == 0) return;
        for (int i = 0; i < 3; i++) await _answered.WaitAsync(Token);
        // What was sent before has been read once a later connection of the same loop was answered.
        using RawClient other = await proxy.ConnectAsync(Token);
        await other.SendAsync("GET / HTTP/1.1\r\n\r\n", Token);
        await other.ReadToEndAsync(Token);
    }
}

/// <summary>A destination that says how busy it is.</summary>
internal sealed class LoadOrigin : IAsyncDisposable
{
    private readonly ScriptedOrigin _origin;
    private readonly SemaphoreSlim _arrived = new(0), _ended = new(0);
    private readonly SemaphoreSlim _answered;
    private volatile string? _answer;
    private int _requests, _probes, _connections;

    /// <param name="answer">To probes; null for none.</param>
    /// <param name="answered">Counts up with each answer.</param>
    internal LoadOrigin(string? answer, SemaphoreSlim answered)
    {
        _answered = answered;
        _answer = answer;
        _origin = new ScriptedOrigin(ServeAsync);
    }

    internal static string Report(int rif, double milliseconds) =>
        FormattableString.Invariant($"HTTP/1.1 200 OK\r\nEndpoint-Load-Metrics: TEXT cpu_utilization=0.3,named_metrics.rif={rif}, named_metrics.latency_ms={milliseconds}\r\nContent-Length: 4\r\n\r\nbusy");

    internal string Address => _origin.Address;
    internal string? Answer { set => _answer = value; }
    internal int Requests => Volatile.Read(ref _requests);
    internal int Probes => Volatile.Read(ref _probes);
    internal int Connections => Volatile.Read(ref _connections);
    internal string? ProbeHead { get; private set; }

    internal Task ProbesArrivedAsync(int count, CancellationToken token) => WaitAsync(_arrived, count, token);

    internal Task ProbesEndedAsync(int count, CancellationToken token) => WaitAsync(_ended, count, token);

    private static async Task WaitAsync(SemaphoreSlim semaphore, int count, CancellationToken token)
    {
        for (int i = 0; i < count; i++) await semaphore.WaitAsync(token);
    }

    private async Task ServeAsync(RawClient connection, int number, CancellationToken token)
    {
        Interlocked.Increment(ref _connections);
        while (true)
        {
            string head = await connection.ReadUntilAsync("\r\n\r\n", token);
            if (!head.StartsWith("GET /load", StringComparison.Ordinal))
            {
                Interlocked.Increment(ref _requests);
                await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", token);
                continue;
            }
            ProbeHead = head;
            Interlocked.Increment(ref _probes);
            _arrived.Release();
            if (_answer is { } answer)
            {
                await connection.SendAsync(answer, token);
                _answered.Release();
                continue;
            }
            await connection.ReadToEndAsync(token);
            _ended.Release();
            return;
        }
    }

    public ValueTask DisposeAsync() => _origin.DisposeAsync();
}
