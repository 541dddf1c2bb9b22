using LoadBalancer.Core.Configuration;
using NUnit.Framework;

namespace LoadBalancer.Hosting.Tests;

public sealed class MemoryBoundsTests
{
    private const long MiB = 1 << 20;

    [TestCase(100, 1000, false)]
    [TestCase(750, 1000, false)]
    [TestCase(751, 1000, true)]
    public void Problem_OfCaches_IsToldBeyondThreeQuarters(long cacheMiB, long availableMiB, bool isTold)
    {
        var config = new ProxyConfig { Caches = new Dictionary<string, CacheConfig> { ["c"] = new() { MemoryBytesMax = cacheMiB * MiB } } };
        Assert.That(MemoryBounds.Problem(config, availableMiB * MiB) is not null, Is.EqualTo(isTold));
    }

    [Test]
    public void Problem_WithoutPolicies_LeavesTheirBodiesOut() => Assert.That(MemoryBounds.Problem(new ProxyConfig(), 100 * MiB), Is.Null);
}
