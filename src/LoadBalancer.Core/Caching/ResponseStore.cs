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

    private readonly DiskPlace? _place;
    private bool _ownsPlace; // one of those that share it: the one in use

    /// <param name="name">In the configuration.</param>
    /// <param name="config">Of it.</param>
    /// <param name="before">The cache of that name that it comes after; null for none. What that has on disk is taken over, where it is to lie in the same place.</param>
    internal ResponseStore(string name, CacheConfig config, ResponseStore? before = null)
    {
        Name = name;
        Config = config;
        _ownsPlace = before?._place is null || before._place.Config != config.Disk; // else from the moment that the one before hands it on
        if (config.Disk is { } disk) _place = _ownsPlace ? new DiskPlace(name, disk) : before!._place;
        Hasher = _place?.Hasher ?? KeyHasher.Random();
        Memory = new(new() { BytesMax = config.MemoryBytesMax, ObjectBytesMax = config.ObjectBytesMax + BesideBodyBytesMax });
    }

    internal string Name { get; }

    internal CacheConfig Config { get; }

    internal MemoryStore<StoredHead> Memory { get; }

    /// <summary>Null where nothing goes to disk, or while another process has the folder still.</summary>
    internal DiskStore<StoredHead>? Disk => _place?.Store;

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
    /// <param name="time">Of the server.</param>
    /// <param name="logger">Of the server.</param>
    /// <param name="waits">As of <see cref="DiskPlace.Open"/>.</param>
    /// <exception cref="ConfigException">The folder cannot be used.</exception>
    internal void Open(TimeProvider time, ILogger logger, bool waits = false)
    {
        try
        {
            _place?.Open(time, logger, waits);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigException([new($"{ConfigPath.Member("caches", Name)}.disk.path", $"cannot be used: {e.Message}")]);
        }
    }

    /// <summary>Its successor has taken over, with the disk where it keeps that.</summary>
    internal void HandOn(ResponseStore? successor)
    {
        if (_place is null || successor?._place != _place) return;
        successor._ownsPlace = true;
        _ownsPlace = false; // with whatever is still being read from it
    }

    /// <summary>Forgets all variants of a key.</summary>
    internal int Purge(UInt128 hash, ReadOnlySpan<byte> key, bool soft = false)
    {
        int purged = Memory.Purge(hash, key, soft);
        if (Disk is { } disk) return purged + disk.Purge(hash, key, soft);
        if (_place is null) return purged;
        byte[] kept = key.ToArray();
        return purged + _place.Purge(store => store.Purge(hash, kept, soft));
    }

    /// <summary>Forgets all whose keys begin so.</summary>
    internal int PurgePrefix(ReadOnlySpan<byte> prefix, bool soft = false)
    {
        int purged = Memory.PurgePrefix(prefix, soft);
        if (Disk is { } disk) return purged + disk.PurgePrefix(prefix, soft);
        if (_place is null) return purged;
        byte[] kept = prefix.ToArray();
        return purged + _place.Purge(store => store.PurgePrefix(kept, soft));
    }

    /// <summary>Forgets all with a tag.</summary>
    internal int PurgeTag(string tag, bool soft = false) => Memory.PurgeTag(tag, soft) + (_place?.Purge(store => store.PurgeTag(tag, soft)) ?? 0);

    public void Dispose()
    {
        if (_ownsPlace) _place?.Dispose();
    }
}
