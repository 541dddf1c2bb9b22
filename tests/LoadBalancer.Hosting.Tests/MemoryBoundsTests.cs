using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Policies;
using NUnit.Framework;

namespace LoadBalancer.Hosting.Tests;

public sealed class MemoryBoundsTests
{
    private const long MiB = 1 << 20;

    [TestCase(100)]
    [TestCase(750)]
    public void Fit_WhatFits_IsTheSame(long cacheMiB)
    {
        ProxyConfig config = Caching(cacheMiB);
        Assert.That((MemoryBounds.Fit(config, 1000 * MiB), MemoryBounds.Describe(config, 1000 * MiB)), Is.EqualTo((config, (string?)null)));
    }

    [Test]
    public void Fit_Beyond_LowersEachByTheSameShare()
    {
        ProxyConfig config = Caching(1000, 500) with { Policies = new Dictionary<string, PolicyConfig> { ["p"] = null! }, PolicyBodyBytesMax = 1500 * MiB };
        ProxyConfig fitting = MemoryBounds.Fit(config, 1000 * MiB);
        Assert.That(fitting.Caches.Values.Select(cache => cache.MemoryBytesMax), Is.EqualTo([250 * MiB, 125 * MiB]));
        Assert.That(fitting.PolicyBodyBytesMax, Is.EqualTo(375 * MiB));
        Assert.That(MemoryBounds.Describe(config, 1000 * MiB), Does.StartWith("of 1000 MiB, 0 MiB are for recent requests, and 3000 MiB are asked for").And.Contains("which get 750 MiB"));
        Assert.That(MemoryBounds.Fit(fitting, 1000 * MiB), Is.SameAs(fitting));
    }

    [Test]
    public void Fit_RecentRequestsBeyondAll_LeavesTheLeastThatIsValid()
    {
        ProxyConfig config = Caching(100) with { RecentRequests = 65_536, Clusters = Enumerable.Range(0, 100).ToDictionary(i => $"c{i}", _ => new ClusterConfig()) };
        CacheConfig cache = MemoryBounds.Fit(config, 1000 * MiB).Caches["c0"];
        Assert.That((cache.MemoryBytesMax, cache.ObjectBytesMax), Is.EqualTo((MiB, MiB)));
        Assert.That(ConfigValidator.Validate(Caching(1) with { Caches = new Dictionary<string, CacheConfig> { ["c0"] = cache } }).Select(problem => problem.Path), Has.None.StartsWith("caches"));
    }

    [Test]
    public void Fit_OneClusterMore_ChangesNoCache()
    {
        ProxyConfig config = Caching(400) with { Clusters = new Dictionary<string, ClusterConfig> { ["a"] = new() } };
        ProxyConfig more = config with { Clusters = new Dictionary<string, ClusterConfig> { ["a"] = new(), ["b"] = new() } };
        Assert.That(MemoryBounds.Fit(config, 384 * MiB).Caches["c0"].MemoryBytesMax, Is.LessThan(400 * MiB));
        Assert.That(MemoryBounds.Fit(more, 384 * MiB).Caches["c0"], Is.EqualTo(MemoryBounds.Fit(config, 384 * MiB).Caches["c0"]));
    }

    [Test]
    public void Fit_WhatIsWrong_IsStillWrong()
    {
        var config = new ProxyConfig { Caches = new Dictionary<string, CacheConfig> { ["c"] = new() { MemoryBytesMax = 5, ObjectBytesMax = 6 } } };
        CacheConfig cache = MemoryBounds.Fit(config, 1).Caches["c"];
        Assert.That((cache.MemoryBytesMax, cache.ObjectBytesMax), Is.EqualTo((5L, 6L)));
    }

    [Test]
    public void Fit_WithoutPolicies_LeavesTheirBodiesOut()
    {
        Assert.That(MemoryBounds.Describe(new ProxyConfig(), 100 * MiB), Is.Null);
        Assert.That(MemoryBounds.Fit(Caching(1000), 100 * MiB).PolicyBodyBytesMax, Is.EqualTo(new ProxyConfig().PolicyBodyBytesMax));
    }

    private static ProxyConfig Caching(params long[] mebibytes) =>
        new() { Caches = mebibytes.Select((one, index) => (one, index)).ToDictionary(one => $"c{one.index}", one => new CacheConfig { MemoryBytesMax = one.one * MiB }) };
}
