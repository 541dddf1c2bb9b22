using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using LoadBalancer.Caching.Rules;
using LoadBalancer.Caching.Storage.Disk;
using LoadBalancer.Caching.Storage.Memory;
using LoadBalancer.Core.Configuration;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Core.Caching;

/// <summary>A cache of the configuration: what it holds, what is being fetched for it, and which keys are not worth waiting for. Shared by all loops; thread-safe.</summary>
internal sealed class ResponseStore : IDisposable
{
    private const long BesideBodyBytesMax = 64 * 1024; // head, key and bookkeeping, of all but the largest
    private readonly CancellationTokenSource _closing; // without timer: nothing to dispose of

    private ResponseStore? _before; // until what it has on disk is taken over: each would else keep all before it
    private bool _isDiskHandedOn;

    /// <param name="name">In the configuration.</param>
    /// <param name="config">Of it.</param>
    /// <param name="before">The cache of that name that it comes after; null for none. What that has on disk is taken over by <see cref="Open"/>, where it is to lie in the same place.</param>
    internal ResponseStore(string name, CacheConfig config, ResponseStore? before = null)
    {
        Name = name;
        Config = config;
        if (before?.Disk is not null && before.Config.Disk == config.Disk) _before = before;
        Hasher = _before?.Hasher ?? KeyHasher.Random(); // by it what lies there is found
        _closing = _before?._closing ?? new();
        Memory = new(new() { BytesMax = config.MemoryBytesMax, ObjectBytesMax = config.ObjectBytesMax + BesideBodyBytesMax });
    }

    internal string Name { get; }

    internal CacheConfig Config { get; }

    internal MemoryStore<StoredHead> Memory { get; }

    /// <summary>Null where nothing goes to disk.</summary>
    internal DiskStore<StoredHead>? Disk { get; private set; }

    internal KeyHasher Hasher { get; }

    internal CacheFlights Flights { get; } = new();

    internal MissMarkers Markers { get; } = new();

    /// <summary>Why what was last asked for could not be stored.</summary>
    internal RecentVerdicts Verdicts { get; } = new();

    /// <summary>The routes that use it: their keys are made in different ways.</summary>
    internal IReadOnlyList<RouteCache> Routes { get; set; } = [];

    /// <summary>Longest body that is stored in memory.</summary>
    internal long MemoryBodyBytesMax => Math.Min(Config.ObjectBytesMax, Memory.ObjectBytesMax - Math.Min(BesideBodyBytesMax, Memory.ObjectBytesMax / 4));

    /// <summary>Longest body that can be stored.</summary>
    internal long BodyBytesMax => Disk is { } disk ? Math.Max(MemoryBodyBytesMax, disk.ObjectBytesMax) : MemoryBodyBytesMax;

    /// <summary>Opens what lies on disk. What is there is found bit by bit, as it is read.</summary>
    /// <exception cref="ConfigException">The folder cannot be used.</exception>
    internal void Open(TimeProvider time, ILogger logger)
    {
        if (Config.Disk is not { } disk) return;
        if (_before is not null)
        {
            Disk = _before.Disk;
            _before = null;
            return;
        }
        string name = Name; // what is handed on keeps a name, not the cache that it began with
        try
        {
            Disk = new(new()
            {
                Folder = disk.Path,
                Hasher = Hasher,
                BytesMax = disk.BytesMax,
                ObjectBytesMax = disk.ObjectBytesMax,
                OnFault = fault => CacheLog.DiskFault(logger, name, fault),
            }, new HeadFormat());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigException([new($"{ConfigPath.Member("caches", Name)}.disk.path", $"cannot be used: {e.Message}")]);
        }
        _ = Disk.LoadAsync(time.GetUtcNow().ToUnixTimeMilliseconds(), _closing.Token); // catches everything itself, but for the end of the server
    }

    /// <summary>Its successor has taken over, with the disk where it keeps that.</summary>
    internal void HandOn(ResponseStore? successor) => _isDiskHandedOn = successor is not null && successor.Disk == Disk;

    /// <summary>Forgets all variants of a key.</summary>
    internal int Purge(UInt128 hash, ReadOnlySpan<byte> key, bool soft = false) => Memory.Purge(hash, key, soft) + (Disk?.Purge(hash, key, soft) ?? 0);

    /// <summary>Forgets all whose keys begin so.</summary>
    internal int PurgePrefix(ReadOnlySpan<byte> prefix, bool soft = false) => Memory.PurgePrefix(prefix, soft) + (Disk?.PurgePrefix(prefix, soft) ?? 0);

    /// <summary>Forgets all with a tag.</summary>
    internal int PurgeTag(string tag, bool soft = false) => Memory.PurgeTag(tag, soft) + (Disk?.PurgeTag(tag, soft) ?? 0);

    public void Dispose()
    {
        if (_before is not null) return; // never opened: what lies on disk is still the other's
        if (_closing.IsCancellationRequested) return;
        if (_isDiskHandedOn) return; // with whatever is still being read from it
        _closing.Cancel();
        Disk?.Dispose();
    }

    private sealed class HeadFormat : IStoredHeadFormat<StoredHead>
    {
        public void Write(StoredHead head, IBufferWriter<byte> writer) => StoredHeadFormat.Write(head, writer);

        public bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out StoredHead? head) => StoredHeadFormat.TryRead(bytes, out head) && head is not null;
    }
}
