using System.Globalization;
using System.Net;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>Bounds of kept connections. Time moves only when told to.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
[CancelAfter(20_000)]
public sealed class PoolTests(TransportKind transport) : ExchangeTests(transport)
{
    private readonly FakeTimeProvider _time = new();

    [Test]
    public async Task AConnectionBeyondItsLifeIsReplaced()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, new() { LifeMax = TimeSpan.FromSeconds(100), IdleTimeout = TimeSpan.FromHours(1) });
        using RawClient client = await proxy.ConnectAsync(Token);
        await AskAsync(client);
        _time.Advance(TimeSpan.FromSeconds(50)); // no client's connection ends meanwhile
        await AskAsync(client);
        Assert.That(origin.Connections, Is.EqualTo(1));
        _time.Advance(TimeSpan.FromSeconds(71)); // 100 s and a jitter of 20 % at the most
        await AskAsync(client);
        Assert.That(origin.Connections, Is.EqualTo(2));
    }

    [Test]
    public async Task AnIdleConnectionIsClosedAfterItsTime()
    {
        var ended = new TaskCompletionSource<StreamEnd>();
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            await c.SendAsync(Ok, t);
            await c.ReadToEndAsync(t);
            ended.SetResult(c.End);
        });
        await using ProxyFixture proxy = await StartAsync(origin, new() { IdleTimeout = TimeSpan.FromSeconds(5) });
        using RawClient client = await proxy.ConnectAsync(Token);
        await AskAsync(client);
        while (!ended.Task.IsCompleted && !Token.IsCancellationRequested)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await proxy.TurnAsync(Token);
        }
        Assert.That(await ended.Task, Is.EqualTo(StreamEnd.Fin));
    }

    [Test]
    public async Task NoMoreConnectionsIdleThanAllowed()
    {
        int waiting = 0, ends = 0;
        TaskCompletionSource both = new(), one = new();
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            if (Interlocked.Increment(ref waiting) == 2) both.SetResult();
            await both.Task;
            await c.SendAsync(Ok, t);
            await c.ReadToEndAsync(t);
            Interlocked.Increment(ref ends);
            one.TrySetResult();
        });
        await using ProxyFixture proxy = await StartAsync(origin, new() { IdleConnectionsMax = 1 });
        using RawClient first = await proxy.ConnectAsync(Token), second = await proxy.ConnectAsync(Token);
        await Task.WhenAll(AskAsync(first), AskAsync(second));
        await one.Task.WaitAsync(Token);
        await proxy.TurnAsync(Token);
        Assert.That(Volatile.Read(ref ends), Is.EqualTo(1));
    }

    // proc_pid_net_tcp(5): timer 02 is keep-alive's.
    [Test, Platform("Linux")]
    public async Task AClientsConnectionIsProbedByTcp()
    {
        await using ScriptedOrigin origin = ScriptedOrigin.Answering(Ok);
        await using ProxyFixture proxy = await StartAsync(origin, new ConnectionPoolConfig());
        using RawClient client = await proxy.ConnectAsync(Token);
        await AskAsync(client);
        string port = ((IPEndPoint)proxy.EndPoint).Port.ToString("X4", CultureInfo.InvariantCulture);
        string[] timers;
        do // an answer that the client's side has not acknowledged yet has a timer of its own
        {
            timers = [.. (await File.ReadAllLinesAsync("/proc/net/tcp", Token)).Skip(1)
                .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Where(columns => columns[1].EndsWith($":{port}", StringComparison.Ordinal) && columns[3] == "01").Select(columns => columns[5][..2])];
        }
        while (timers.Contains("01"));
        Assert.That(timers, Is.EqualTo(new[] { "02" }));
    }

    private Task<ProxyFixture> StartAsync(ScriptedOrigin origin, ConnectionPoolConfig pool)
    {
        ProxyConfig config = ProxyFixture.Config(Transport, origin.Address);
        return ProxyFixture.StartAsync(config with
        {
            Listeners = new Dictionary<string, ListenerConfig> { ["main"] = config.Listeners["main"] with { Limits = new() { KeepAliveTimeout = TimeSpan.FromHours(1) } } },
            Clusters = new Dictionary<string, ClusterConfig> { ["app"] = config.Clusters["app"] with { Pool = pool } },
        }, _time);
    }

    private static async Task AskAsync(RawClient client)
    {
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        await client.ReadResponseAsync(Token);
    }
}
