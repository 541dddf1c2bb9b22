using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>The bound of all retries of a cluster. How it fills is tested alone; here, that retries ask for it.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(20_000)]
public sealed class RetryBudgetTests(TransportKind transport) : ExchangeTests(transport)
{
    private static Func<ProxyConfig, ProxyConfig> Budget(int perSecondMin) => config => config with
    {
        Clusters = new Dictionary<string, ClusterConfig>
        {
            ["app"] = config.Clusters["app"] with { RetryBudget = new() { Percent = 0, PerSecondMin = perSecondMin } },
        },
    };

    [TestCase(1000, 3, false)]
    [TestCase(0, 1, true)]
    public async Task ASafeRequestIsRepeatedWithinTheBudgetOnly(int perSecondMin, int attempts, bool isDenied)
    {
        await using var origin = new ScriptedOrigin(async (c, _, t) => await c.ReadUntilAsync("\r\n\r\n", t));
        await using ProxyFixture proxy = await StartAsync(origin, Budget(perSecondMin));
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 502 "));
        Completion completion = await proxy.Completions.NextAsync(Token);
        Assert.That((completion.Reason, completion.Attempts, completion.IsRetryDenied), Is.EqualTo((EndReason.UpstreamClosed, attempts, isDenied)));
    }

    [TestCase(1000, 3, false)]
    [TestCase(0, 1, true)]
    public async Task AFailedConnectIsRepeatedWithinTheBudgetOnly(int perSecondMin, int attempts, bool isDenied)
    {
        ProxyConfig config = Budget(perSecondMin)(ProxyFixture.Config(Transport, Origins.ClosedAddress()));
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", Token);
        Assert.That(await client.ReadResponseAsync(Token), Does.StartWith("HTTP/1.1 502 "));
        Completion completion = await proxy.Completions.NextAsync(Token);
        Assert.That((completion.Reason, completion.Attempts, completion.IsRetryDenied), Is.EqualTo((EndReason.UpstreamConnectFailed, attempts, isDenied)));
    }

    [Test]
    public async Task ARequestThatMayNotBeRepeatedIsNotDenied()
    {
        await using var origin = new ScriptedOrigin(async (c, _, t) => await c.ReadUntilAsync("\r\n\r\n", t));
        await using ProxyFixture proxy = await StartAsync(origin, Budget(0));
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", Token);
        await client.ReadResponseAsync(Token);
        Assert.That((await proxy.Completions.NextAsync(Token)).IsRetryDenied, Is.False);
    }
}
