using LoadBalancer.Core.Configuration;
using LoadBalancer.Discovery.Sources;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.Discovery.Tests;

/// <summary>SRV records as destinations, RFC 2782.</summary>
[TestFixture, Parallelizable(ParallelScope.All), FixtureLifeCycle(LifeCycle.InstancePerTestCase), CancelAfter(30_000)]
public sealed class SrvSourceTests
{
    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [Test]
    public async Task PrioritiesBecomeTiersAndWeightsWeights()
    {
        await using var origin = new DnsOrigin(q => [q.Type == 33
            ? q.Reply(DnsQuery.NoError, [DnsQuery.Record(1, 4, [10, 0, 0, 3], "c.internal")],
                DnsQuery.Srv(30, 20, 5, 8080, "c.internal"), DnsQuery.Srv(30, 10, 60, 80, "a.internal"), DnsQuery.Srv(30, 10, 20, 81, "b.internal"))
            : q.Addresses(9, q.Name == "a.internal" ? ["10.0.0.1", "10.0.0.11"] : ["10.0.0.2"])]);
        SourceReading reading = await Source(origin, tier: 2).ReadAsync(Token);
        Assert.That(reading.Problem, Is.Null);
        Assert.That(reading.ValidFor.TotalSeconds, Is.EqualTo(4));
        Assert.That(reading.Destinations!.Select(d => (d.Key, d.Value.Weight, d.Value.Tier)), Is.EquivalentTo(new[]
        {
            ("10.0.0.1:80", 60, 2), ("10.0.0.11:80", 60, 2), ("10.0.0.2:81", 20, 2), ("10.0.0.3:8080", 5, 3),
        }));
    }

    [TestCase(new ushort[] { 0, 0 }, new[] { 1, 1 })]
    [TestCase(new ushort[] { 0, 1 }, new[] { 1, 1000 })]
    [TestCase(new ushort[] { 0, 10, 5 }, new[] { 1, 1000, 500 })]
    [TestCase(new ushort[] { 1, 1000 }, new[] { 1, 1000 })]
    [TestCase(new ushort[] { 1, 65535, 32768 }, new[] { 1, 1000, 500 })]
    public void Scale_Table(ushort[] weights, int[] scaled) => Assert.That(SrvWeights.Scale(weights), Is.EqualTo(scaled));

    [Test]
    public async Task ATargetThatIsNotAnsweredKeepsItsLastGoodAddresses()
    {
        bool isBroken = false;
        await using var origin = new DnsOrigin(q => [q.Type == 33 ? q.Reply(DnsQuery.Srv(30, 1, 1, 80, "a.internal"), DnsQuery.Srv(30, 1, 1, 80, "b.internal"))
            : q.Name == "a.internal" ? q.Addresses(9, isBroken ? "10.0.0.9" : "10.0.0.1")
            : isBroken ? q.Failed(DnsQuery.ServFail) : q.Addresses(9, "10.0.0.2")]);
        SrvSource source = Source(origin);
        Assert.That((await source.ReadAsync(Token)).Destinations!.Keys, Is.EquivalentTo(new[] { "10.0.0.1:80", "10.0.0.2:80" }));
        isBroken = true;
        SourceReading reading = await source.ReadAsync(Token);
        Assert.That(reading.Destinations!.Keys, Is.EquivalentTo(new[] { "10.0.0.9:80", "10.0.0.2:80" }));
        Assert.That(reading.Problem, Is.EqualTo("b.internal is not answered: SERVFAIL"));
    }

    [Test]
    public async Task NoUsableRecordIsNoAnswer()
    {
        await using var origin = new DnsOrigin(q => [q.Reply(DnsQuery.Srv(30, 1, 1, 80, "."), DnsQuery.Srv(30, 1, 1, 0, "a.internal"), DnsQuery.Srv(30, 1, 1, 80, "a b"))]);
        SourceReading reading = await Source(origin).ReadAsync(Token);
        Assert.That((reading.Destinations, reading.Problem), Is.EqualTo(((object?)null, "_http._tcp.api.internal has no usable SRV record")));
    }

    [Test]
    public async Task MoreThanTheBoundIsCut()
    {
        string[] addresses = [.. Enumerable.Range(0, 150).Select(i => $"10.1.0.{i}")];
        await using var origin = new DnsOrigin(q => [q.Type == 33
            ? q.IsTcp ? q.Reply([.. Enumerable.Range(1, 100).Select(i => DnsQuery.Srv(30, 1, 1, (ushort)i, "a.internal"))]) : q.Truncated()
            : q.Addresses(9, addresses)]);
        Assert.That((await Source(origin).ReadAsync(Token)).Destinations, Has.Count.EqualTo(FleetDiscovery.DestinationsMax));
    }

    private static SrvSource Source(DnsOrigin origin, int tier = 0) =>
        new(new DiscoverConfig { Srv = "_http._tcp.api.internal", Tier = tier }, new DnsResolver(origin.EndPoint, new FakeTimeProvider()));
}
