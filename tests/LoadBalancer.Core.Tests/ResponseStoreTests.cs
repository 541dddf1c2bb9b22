using System.Runtime.CompilerServices;
using LoadBalancer.Core.Caching;
using LoadBalancer.Core.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace LoadBalancer.Core.Tests;

/// <summary>A cache that comes after another, by a reload.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class ResponseStoreTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lb-store-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void Open_AfterAnotherWithTheSameDisk_TakesTheDiskAndKeepsNothingElse()
    {
        (WeakReference first, ResponseStore second) = Replace();
        using (second)
        {
            for (int i = 0; i < 3; i++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
            Assert.That((first.IsAlive, second.Disk is not null), Is.EqualTo((false, true)));
        }
    }

    // In a frame of its own, so that nothing here holds the first.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private (WeakReference First, ResponseStore Second) Replace()
    {
        var disk = new CacheDiskConfig { Path = _folder };
        var first = new ResponseStore("c", new CacheConfig { Disk = disk });
        first.Open(TimeProvider.System, NullLogger.Instance);
        var second = new ResponseStore("c", new CacheConfig { Disk = disk, MemoryBytesMax = 1 << 20 }, first);
        second.Open(TimeProvider.System, NullLogger.Instance);
        first.HandOn(second);
        first.Dispose();
        return (new WeakReference(first), second);
    }
}
