using LoadBalancer.Admin.Registration;
using LoadBalancer.Balancing;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using Microsoft.Extensions.Time.Testing;
using NUnit.Framework;

namespace LoadBalancer.Admin.Tests;

/// <summary>
/// A registration holds for its lease. The registry alone has told time: loops that read the same clock from their threads would run its timers there, beside the test.
/// </summary>
[CancelAfter(30_000)]
public sealed class LeaseTests
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);
    private static readonly DestinationConfig Destination = new() { Address = "127.0.0.1:1" };
    private readonly FakeTimeProvider _time = new();

    [Test]
    public async Task ALeaseThatIsNotRenewedEndsTheRegistration()
    {
        await using ProxyFixture proxy = await StartAsync();
        using var registry = new Registry(proxy.Server, _time, proxy.Log);
        Assert.That(registry.Put("app", "a", Destination, Lease), Is.EqualTo(RegistryChange.Added));
        Assert.That(registry.Find("app", "a"), Is.EqualTo(new RegistrationView(Lease, _time.GetUtcNow() + Lease)));
        Pass(TimeSpan.FromSeconds(29.75));
        Assert.That(Names(proxy), Is.EqualTo(new[] { "a" }));
        Pass(TimeSpan.FromSeconds(0.25));
        Assert.That(Names(proxy), Is.Empty);
        Assert.That(await proxy.Log.NextAsync(TestContext.CurrentContext.CancellationToken),
            Is.EqualTo("cluster app: the lease of destination a has expired; it was not renewed for 00:00:30"));
    }

    [Test]
    public async Task ARenewedLeaseHoldsAndADrainedDestinationStaysDrained()
    {
        await using ProxyFixture proxy = await StartAsync();
        using var registry = new Registry(proxy.Server, _time, proxy.Log);
        for (int i = 0; i < 5; i++)
        {
            Assert.That(registry.Put("app", "a", Destination with { Weight = i < 3 ? 1 : 2 }, Lease),
                Is.EqualTo(i == 0 ? RegistryChange.Added : i == 3 ? RegistryChange.Changed : RegistryChange.Renewed));
            if (i == 0) proxy.Server.SetDraining("app", "a", true);
            Pass(TimeSpan.FromSeconds(20));
        }
        Assert.That(proxy.Server.DescribeDestination("app", "a")!.Status, Is.EqualTo(DestinationStatus.Draining));
        Assert.That(proxy.Server.DescribeDestination("app", "a")!.Config.Weight, Is.EqualTo(2));
        Pass(TimeSpan.FromSeconds(10));
        Assert.That(Names(proxy), Is.Empty);
        registry.Put("app", "a", Destination, Lease);
        registry.Apply("app");
        Assert.That(proxy.Server.DescribeDestination("app", "a")!.Status, Is.EqualTo(DestinationStatus.Eligible), "it begins anew");
    }

    [Test]
    public async Task TimeInWhichTheBalancerStoodStillIsNotChargedToTheLeases()
    {
        await using ProxyFixture proxy = await StartAsync();
        using var registry = new Registry(proxy.Server, _time, proxy.Log);
        registry.Put("app", "a", Destination, Lease);
        _time.Advance(TimeSpan.FromMinutes(10)); // the next sweep sees all of it
        Assert.That(Names(proxy), Is.EqualTo(new[] { "a" }));
        Pass(TimeSpan.FromSeconds(29));
        Assert.That(Names(proxy), Is.EqualTo(new[] { "a" }));
        Pass(TimeSpan.FromSeconds(2));
        Assert.That(Names(proxy), Is.Empty);
    }

    [Test]
    public async Task RegistrationsOfAClusterAreBounded()
    {
        await using ProxyFixture proxy = await StartAsync();
        using var registry = new Registry(proxy.Server, _time, proxy.Log);
        for (int i = 0; i < Registry.DestinationsMax; i++) registry.Put("app", $"d{i}", new DestinationConfig { Address = $"10.0.{i >> 8}.{i & 255}:80" }, Lease);
        Assert.That(registry.Put("app", "more", Destination, Lease), Is.EqualTo(RegistryChange.Full));
        Assert.That(registry.Put("app", "d5", new DestinationConfig { Address = "10.0.0.5:80" }, Lease), Is.EqualTo(RegistryChange.Renewed));
        registry.Apply("app");
        Assert.That(Names(proxy).Count(), Is.EqualTo(Registry.DestinationsMax));
        Pass(Lease);
        Assert.That(Names(proxy), Is.Empty);
    }

    [Test]
    public async Task AdditionsThatComeTogetherAreAppliedTogetherAndWithoutAnybodyAsking()
    {
        await using ProxyFixture proxy = await StartAsync();
        using var registry = new Registry(proxy.Server, _time, proxy.Log);
        foreach (string id in new[] { "a", "b", "c" }) registry.Put("app", id, Destination, Lease);
        Assert.That(Names(proxy), Is.EqualTo(new[] { "a" }), "the first is used at once, the others gather");
        _time.Advance(TimeSpan.FromMilliseconds(10));
        Assert.That(Names(proxy), Is.EqualTo(new[] { "a", "b", "c" }));
        registry.Put("app", "d", Destination, Lease);
        Task removing = registry.RemoveAsync("app", "a");
        Assert.That(removing.IsCompleted, Is.False);
        _time.Advance(TimeSpan.FromMilliseconds(10));
        await removing;
        Assert.That(Names(proxy), Is.EqualTo(new[] { "b", "c", "d" }));
    }

    private static Task<ProxyFixture> StartAsync() => ProxyFixture.StartAsync(ProxyFixture.Config(TransportKind.Auto));

    private static IEnumerable<string> Names(ProxyFixture proxy) => proxy.Server.DescribeDestinations("app").Select(d => d.Name).Order();

    // In steps, as time passes for a process that runs.
    private void Pass(TimeSpan time)
    {
        for (var step = TimeSpan.FromMilliseconds(250); time > TimeSpan.Zero; time -= step) _time.Advance(step);
    }
}
