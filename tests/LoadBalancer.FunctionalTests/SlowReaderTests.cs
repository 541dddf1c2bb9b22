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
    public async Task AClientThatTakesItsAnswerSlowlyIsNotCut()
    {
        Transports.Require(TransportKind.Epoll);
        var time = new FakeTimeProvider();
        const int Length = 2_000_000, Piece = 25_000;
        string path = Path.Combine(Path.GetTempPath(), $"lb-{Guid.NewGuid():N}.sock"); // its buffers are small, and do not grow
        await using var origin = new EchoOrigin();
        ProxyConfig config = ProxyFixture.Config(TransportKind.Epoll, origin.Address);
        config = config with { Listeners = new Dictionary<string, ListenerConfig> { ["main"] = new() { Address = $"unix:{path}", Limits = new() { WriteIdleTimeout = TimeSpan.FromSeconds(10) } } } };
        await using ProxyFixture proxy = await ProxyFixture.StartAsync(config, time);
        using RawClient client = await proxy.ConnectAsync(Token);
        await client.SendAsync($"GET /bytes/{Length} HTTP/1.1\r\nHost: h\r\n\r\n", Token);
        await client.ReadUntilAsync("\r\n\r\n", Token);
        // Never ten seconds without a byte, but more than ten for what is sent in one call.
        for (int at = 0; at < Length; at += Piece)
        {
            await client.ReadAsync(Piece, Token);
            await proxy.TurnAsync(Token);
            time.Advance(TimeSpan.FromSeconds(1));
            await proxy.TurnAsync(Token);
        }
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.Completed));
    }
}
