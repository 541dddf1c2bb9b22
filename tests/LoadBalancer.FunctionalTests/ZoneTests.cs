using LoadBalancer.Balancing;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>The balancer's own zone at work. How much goes where is tested with the scheduler.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(30_000)]
public sealed class ZoneTests(TransportKind transport) : FleetTests(transport)
{
    [Test]
    public async Task RequestsStayInTheirZoneWhileItCanCarryThem()
    {
        await using FleetOrigin near = new(), far = new();
        await using ProxyFixture proxy = await StartAsync("east", near, far);
        Assert.That(await SharesAsync(proxy, 20, near, far), Is.EqualTo([20, 0]));
        Mark(proxy, hold: true);
        Assert.That(await SharesAsync(proxy, 20, near, far), Is.EqualTo([0, 20]));
        Mark(proxy, hold: false);
        Assert.That(await SharesAsync(proxy, 20, near, far), Is.EqualTo([20, 0]));
    }

    [Test]
    public async Task AFailureIsRepeatedInAnotherZone()
    {
        await using FleetOrigin far = new();
        var near = new FleetOrigin();
        await using ProxyFixture proxy = await StartAsync("east", near, far);
        await near.DisposeAsync();
        Assert.That(await AskAsync(proxy, 20), Is.All.EqualTo("200"));
    }

    [Test]
    public async Task ADestinationThatComesIntoTheZoneTakesOver()
    {
        await using FleetOrigin first = new(), second = new();
        await using ProxyFixture proxy = await StartAsync("west", first, second);
        Assert.That(await SharesAsync(proxy, 10, first, second), Is.EqualTo([0, 10]));
        proxy.Server.UpdateDestinations("app", new Dictionary<string, DestinationConfig>
        {
            ["d0"] = new() { Address = first.Address, Zone = "west" }, ["d1"] = new() { Address = second.Address, Zone = "east" },
        });
        Assert.That(await SharesAsync(proxy, 10, first, second), Is.EqualTo([10, 0]));
    }

    [TestCase("")]
    [TestCase(null)]
    [TestCase("north")]
    public async Task WithoutAZoneInCommonAllAreUsed(string? zone)
    {
        await using FleetOrigin near = new(), far = new();
        await using ProxyFixture proxy = await StartAsync(zone, near, far);
        Assert.That(await SharesAsync(proxy, 20, near, far), Is.EqualTo([10, 10]));
    }

    // The first destination is in the east, the second in the west.
    private Task<ProxyFixture> StartAsync(string? zone, params FleetOrigin[] origins)
    {
        ProxyConfig config = ProxyFixture.Config(Transport, [.. origins.Select(o => o.Address)]);
        var destinations = config.Clusters["app"].Destinations.ToDictionary(d => d.Key, d => d.Value with { Zone = d.Key == "d0" ? "east" : "west" });
        var cluster = new ClusterConfig { Balance = "round-robin", SlowStart = TimeSpan.Zero, Destinations = destinations };
        return ProxyFixture.StartAsync(config with { Zone = zone, Clusters = new Dictionary<string, ClusterConfig> { ["app"] = cluster } }, Time);
    }

    private void Mark(ProxyFixture proxy, bool hold)
    {
        Scheduler scheduler = proxy.Server.Snapshot.Clusters[0].Scheduler;
        scheduler.Mark(scheduler.Destinations[0], DestinationStatus.Unhealthy, hold, Time.GetTimestamp());
    }
}
