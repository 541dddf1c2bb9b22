using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>
/// A client that reads slowly under injected time. On epoll only: its loop has surely seen the room that a read made when it has had its turn,
/// while the other transport hears of it from a thread of the runtime, some time.
/// </summary>
[TestFixture]
[CancelAfter(20_000)]
public sealed class SlowReaderTests
{
    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [Test]
    public async Task AClientThatTakesItsAnswerSlowlyIsNotCut() =>
        Assert.That(await ReadAsync(new() { WriteIdleTimeout = TimeSpan.FromSeconds(10) }, 25_000), Is.EqualTo(EndReason.Completed));

    // Never silent for long, but slower than the least rate: 20 s behind after twice as long. Bytes of a Unix socket are taken in pieces of up to 64 KiB.
    [TestCase(5_000, EndReason.ClientTooSlow)]
    [TestCase(25_000, EndReason.Completed)]
    public async Task AClientThatIsSlowerThanTheLeastRateIsCut(int bytesPerSecond, EndReason reason) =>
        Assert.That(await ReadAsync(new() { ResponseRateMin = 10_000, ResponseRateGrace = TimeSpan.FromSeconds(20) }, bytesPerSecond), Is.EqualTo(reason));

    [Test]
    public async Task WithoutALeastRateAClientMayBeAsSlowAsItIsNotSilent() =>
        Assert.That(await ReadAsync(new() { ResponseRateMin = 0, ResponseRateGrace = TimeSpan.FromSeconds(20) }, 5_000), Is.EqualTo(EndReason.Completed));

    /// <summary>How a request ends whose client takes so much of its answer each second.</summary>
    private static async Task<EndReason> ReadAsync(ListenerLimitsConfig limits, int bytesPerSecond)
    {
        Transports.Require(TransportKind.Epoll);
        var time = new FakeTimeProvider();
        const int Length = 2_000_000;
        string path = Path.Combine(Path.GetTempPath(), $"lb-{Guid.NewGuid():N}.sock"); // its buffers are small, and do not grow
        await using var origin = new EchoOrigin();
        ProxyConfig config = ProxyFixture.Config(TransportKind.Epoll, origin.Address);
        config = config with { Listeners = new Dictionary<string, ListenerConfig> { ["main"] = new() { Address = $"unix:{path}", Limits = limits } } };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config, time);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync($"GET /bytes/{Length} HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        await client.ReadUntilAsync("\r\n\r\n", Token);
        Task<Completion> completion = proxy.Completions.NextAsync(Token);
        for (int at = 0; at < Length && !completion.IsCompleted; at += bytesPerSecond)
        {
            await client.ReadAsync(bytesPerSecond, Token);
            await proxy.TurnAsync(Token);
            time.Advance(TimeSpan.FromSeconds(1));
            await proxy.TurnAsync(Token);
        }
        return (await completion).Reason;
    }
}
