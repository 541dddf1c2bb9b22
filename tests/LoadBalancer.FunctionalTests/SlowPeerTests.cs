using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>Peers that keep a connection busy with little: what docs/threat-model.md says ends them. Time moves only when told to, but for the look-up of a name.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
[CancelAfter(20_000)]
public sealed class SlowPeerTests(TransportKind transport)
{
    private readonly FakeTimeProvider _time = new();

    // What the client has sent so far was forwarded, so the loop waits for more, or does so before it looks at the clock again.
    private readonly TaskCompletionSource _forwarded = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SkipWhereUnsupported() => Transports.Require(transport);

    [Test]
    public async Task ABodySlowerThanTheLeastRateGets408()
    {
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            _forwarded.SetResult();
            await c.ReadToEndAsync(t);
        });
        ProxyConfig config = ProxyFixture.Config(transport, origin.Address);
        ListenerConfig listener = config.Listeners["main"] with { Limits = new() { RequestBodyIdleTimeout = TimeSpan.FromHours(1) } };
        config = config with { Listeners = new Dictionary<string, ListenerConfig> { ["main"] = listener } };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config, _time);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10000\r\n\r\n", Token);
        await _forwarded.Task.WaitAsync(Token);
        _time.Advance(TimeSpan.FromSeconds(20)); // 4800 bytes at 240 a second
        await client.SendAsync(new string('a', 4700), Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 408 "));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.RequestBodyTimeout));
    }

    [Test]
    public async Task ABodyAtTheLeastRateIsForwarded()
    {
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync(new string('a', 4800), t);
            _forwarded.SetResult();
            await c.ReadUntilAsync("end", t);
            await c.SendAsync("HTTP/1.1 204 No Content\r\n\r\n", t);
            await c.ReadToEndAsync(t);
        });
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address), _time);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync($"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4803\r\n\r\n{new string('a', 4800)}", Token);
        await _forwarded.Task.WaitAsync(Token);
        _time.Advance(TimeSpan.FromSeconds(20));
        await client.SendAsync("end", Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 204 "));
    }

    [Test]
    public async Task AClientThatTakesNoAnswerIsCut()
    {
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            _forwarded.SetResult();
            await c.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n", t);
            string part = new('a', 100_000);
            while (true) await c.SendAsync(part, t);
        });
        ProxyConfig config = ProxyFixture.Config(transport, origin.Address);
        // The clock runs ahead of the sockets: only the client's limit may pass.
        config = WithCluster(config, config.Clusters["app"] with { IdleTimeout = TimeSpan.FromDays(1), ResponseHeadTimeout = TimeSpan.FromDays(1) });
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config, _time);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        await _forwarded.Task.WaitAsync(Token);
        Task<Completion> completion = proxy.Completions.NextAsync(Token);
        await AdvanceUntilAsync(completion);
        Assert.That((await completion).Reason, Is.EqualTo(EndReason.ClientWriteTimeout));
    }

    [Test]
    public async Task ASilentTunnelIsCut()
    {
        await using var origin = new ScriptedOrigin(async (c, _, t) =>
        {
            await c.ReadUntilAsync("\r\n\r\n", t);
            await c.SendAsync("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n", t);
            await c.ReadToEndAsync(t);
        });
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address), _time);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n", Token);
        await client.ReadUntilAsync("\r\n\r\n", Token);
        Task<Completion> completion = proxy.Completions.NextAsync(Token);
        await AdvanceUntilAsync(completion);
        Assert.That((await completion).Reason, Is.EqualTo(EndReason.TunnelIdle));
    }

    [Test]
    public async Task ADestinationWithoutAddressIs502()
    {
        // RFC 6761 §6.4: a name that never has an address. The look-up fails, or is not waited for beyond connectTimeout.
        ProxyConfig config = ProxyFixture.Config(transport, "nobody.invalid:80");
        config = WithCluster(config, config.Clusters["app"] with { RetriesMax = 0 });
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 502 "));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.UpstreamUnresolved));
    }

    private static ProxyConfig WithCluster(ProxyConfig config, ClusterConfig cluster) =>
        config with { Clusters = new Dictionary<string, ClusterConfig> { ["app"] = cluster } };

    // In steps smaller than any limit here: one too early only finds no timer armed yet.
    private async Task AdvanceUntilAsync(Task task)
    {
        while (!task.IsCompleted && !Token.IsCancellationRequested)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.WhenAny(task, Task.Yield().AsTask());
        }
        await task;
    }
}
