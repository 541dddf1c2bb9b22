using LoadBalancer.Balancing;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>RFC 9110 §10.2.3: a destination that asks for time is left alone. What each policy makes of it is tested with the scheduler.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(30_000)]
public sealed class RetryAfterTests(TransportKind transport) : FleetTests(transport)
{
    private static string Answer(string status, string? retryAfter) =>
        $"HTTP/1.1 {status}\r\nContent-Length: 0\r\n{(retryAfter is null ? "" : $"Retry-After: {retryAfter}\r\n")}\r\n";

    [TestCase("503 Busy", "20", 20)]
    [TestCase("503 Busy", "in 20 s, as a date", 20)]
    [TestCase("503 Busy", "1000000000000", 300)]
    public async Task ADestinationThatAsksForTimeGetsIt(string status, string retryAfter, int seconds)
    {
        if (retryAfter.EndsWith("date", StringComparison.Ordinal)) retryAfter = Time.GetUtcNow().AddSeconds(20).ToString("R");
        await using FleetOrigin good = new(), busy = new() { Answer = Answer(status, retryAfter) };
        await using ProxyFixture proxy = await StartAsync(new ClusterConfig(), good, busy);
        Assert.That((await AskAsync(proxy, 2)).Order(), Is.EqualTo(["200", status[..3]]));
        busy.Answer = FleetOrigin.Good;
        Assert.That(await SharesAsync(proxy, 10, good, busy), Is.EqualTo([10, 0]));
        Time.Advance(TimeSpan.FromSeconds(seconds - 1));
        Assert.That(await SharesAsync(proxy, 10, good, busy), Is.EqualTo([10, 0]));
        Time.Advance(TimeSpan.FromSeconds(2));
        Assert.That(await SharesAsync(proxy, 10, good, busy), Is.EqualTo([5, 5]));
    }

    [TestCase("503 Busy", null)]
    [TestCase("503 Busy", "0")]
    [TestCase("503 Busy", "-5")]
    [TestCase("503 Busy", "tomorrow")]
    [TestCase("503 Busy", "Fri, 31 Dec 1999 23:59:59 GMT")]
    [TestCase("500 Broken", "20")]
    [TestCase("429 Slow down", "20")]
    [TestCase("301 Moved", "20")]
    public async Task NothingElseIsAskingForTime(string status, string? retryAfter)
    {
        await using FleetOrigin good = new(), other = new() { Answer = Answer(status, retryAfter) };
        await using ProxyFixture proxy = await StartAsync(new ClusterConfig { Ejection = new() { Enabled = false } }, good, other);
        Assert.That(await SharesAsync(proxy, 10, good, other), Is.EqualTo([5, 5]));
    }

    [Test]
    public async Task WhenAllAskHalfOfThemGoOn()
    {
        FleetOrigin[] origins = [.. Enumerable.Range(0, 4).Select(_ => new FleetOrigin { Answer = Answer("503 Busy", "20") })];
        await using (ProxyFixture proxy = await StartAsync(new ClusterConfig { Ejection = new() { Enabled = false } }, origins))
        {
            await AskAsync(proxy, 8);
            Assert.That((await SharesAsync(proxy, 20, origins)).Count(share => share == 0), Is.EqualTo(2));
        }
        foreach (FleetOrigin origin in origins) await origin.DisposeAsync();
    }

    [Test]
    public async Task ADestinationThatRefusesClientsForTheirRateIsNotEjected()
    {
        await using FleetOrigin good = new(), refuses = new() { Answer = Answer("429 Slow down", null) };
        await using ProxyFixture proxy = await StartAsync(new ClusterConfig(), good, refuses);
        Assert.That(await SharesAsync(proxy, 40, good, refuses), Is.EqualTo([20, 20]));
        Assert.That(StatusOf(proxy, 1), Is.EqualTo(DestinationStatus.Eligible));
    }
}
