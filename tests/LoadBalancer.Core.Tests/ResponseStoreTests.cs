using System.Runtime.CompilerServices;
using LoadBalancer.Core.Caching;
using LoadBalancer.Core.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
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

    [Test]
    public void Open_FolderInUseByTheProcessBefore_OpensItLaterAndPurgesItThen()
    {
        var config = new CacheConfig { Disk = new CacheDiskConfig { Path = _folder } };
        var time = new FakeTimeProvider();
        using var before = new ResponseStore("c", config);
        before.Open(time, NullLogger.Instance);
        using var next = new ResponseStore("c", config);
        Assert.That(() => next.Open(time, NullLogger.Instance), Throws.InstanceOf<ConfigException>());
        next.Open(time, NullLogger.Instance, waits: true);
        using var reloaded = new ResponseStore("c", config with { MemoryBytesMax = 1 << 20 }, next);
        reloaded.Open(time, NullLogger.Instance);
        next.HandOn(reloaded);
        next.Dispose();
        reloaded.PurgeTag("t");
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.That(reloaded.Disk, Is.Null, "it is in use still");
        before.Dispose();
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.That(reloaded.Disk?.PurgePosition, Is.EqualTo(1), "opened, and purged of what was purged meanwhile");
    }

    [Test]
    public void Dispose_OfOneThatWasNeverUsed_LeavesTheDiskToTheOther()
    {
        var config = new CacheConfig { Disk = new CacheDiskConfig { Path = _folder } };
        var first = new ResponseStore("c", config);
        first.Open(TimeProvider.System, NullLogger.Instance);
        new ResponseStore("c", config with { MemoryBytesMax = 1 << 20 }, first).Dispose(); // as of a configuration that was refused
        first.Dispose();
        using var next = new ResponseStore("c", config);
        Assert.That(() => next.Open(TimeProvider.System, NullLogger.Instance), Throws.Nothing);
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
