using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using LoadBalancer.Caching.Rules;
using LoadBalancer.Caching.Storage.Disk;
using LoadBalancer.Caching.Storage.Memory;
using LoadBalancer.Core.Configuration;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Core.Caching;

/// <summary>Where a cache lies on disk: shared by the caches of a name that follow each other by reloads. Keeps none of them. Thread-safe.</summary>
/// <param name="name">Of the cache that it began with.</param>
/// <param name="config">Of it.</param>
internal sealed class DiskPlace(string name, CacheDiskConfig config) : IDisposable
{
    private const int PurgesMax = 1_000; // beyond them all of it goes
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    private readonly Lock _opening = new();
    private readonly CancellationTokenSource _closing = new(); // without timer: nothing to dispose of
    private DiskStore<StoredHead>? _store;
    private ITimer? _retrying; // while another process has the folder
    private readonly List<Action<DiskStore<StoredHead>>> _purges = []; // to be done once it is opened
    private bool _isClosed;

    internal CacheDiskConfig Config => config;

    /// <summary>By it what lies there is found.</summary>
    internal KeyHasher Hasher { get; } = KeyHasher.Random();

    /// <summary>What lies there; null before it is opened.</summary>
    internal DiskStore<StoredHead>? Store => Volatile.Read(ref _store);

    /// <summary>Opens it, where that has not been done.</summary>
    /// <param name="time">Of the server.</param>
    /// <param name="logger">Of the server.</param>
    /// <param name="waits">Whether another process may have the folder still, which leaves it soon: it is opened then, and until then nothing is found or stored there.</param>
    /// <exception cref="IOException">The folder cannot be used.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    internal void Open(TimeProvider time, ILogger logger, bool waits)
    {
        lock (_opening)
        {
            if (_store is not null || _retrying is not null || _isClosed) return;
            try
            {
                OpenStore(time, logger);
            }
            catch (FolderInUseException e) when (waits)
            {
                CacheLog.DiskAwaited(logger, name, e.Message);
                _retrying = time.CreateTimer(_ => Retry(time, logger), null, RetryInterval, RetryInterval);
            }
        }
    }

    /// <summary>Forgets a part of what lies there, now or as soon as it is opened; how many are gone now.</summary>
    internal int Purge(Func<DiskStore<StoredHead>, int> purge)
    {
        lock (_opening)
        {
            if (_store is null)
            {
                if (_retrying is null || _purges.Count > PurgesMax) return 0;
                if (_purges.Count < PurgesMax) _purges.Add(store => purge(store));
                else _purges.Add(store => store.PurgePrefix([]));
                return 0;
            }
        }
        return purge(_store);
    }

    // For as long as it takes: the process before drains for as long as its configuration says.
    private void Retry(TimeProvider time, ILogger logger)
    {
        lock (_opening)
        {
            if (_retrying is null) return;
            try
            {
                OpenStore(time, logger);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return;
            }
            _retrying.Dispose();
            _retrying = null;
        }
        CacheLog.DiskOpened(logger, name);
    }

    private void OpenStore(TimeProvider time, ILogger logger)
    {
        var store = new DiskStore<StoredHead>(new()
        {
            Folder = config.Path,
            Hasher = Hasher,
            BytesMax = config.BytesMax,
            ObjectBytesMax = config.ObjectBytesMax,
            OnFault = fault => CacheLog.DiskFault(logger, name, fault),
        }, new HeadFormat());
        foreach (Action<DiskStore<StoredHead>> purge in _purges) purge(store); // before anything is found
        _purges.Clear();
        _ = store.LoadAsync(time.GetUtcNow().ToUnixTimeMilliseconds(), _closing.Token); // catches everything itself, but for the end of the server
        Volatile.Write(ref _store, store);
    }

    /// <summary>Lets another process have the folder.</summary>
    public void Dispose()
    {
        lock (_opening)
        {
            if (_isClosed) return;
            _isClosed = true;
            _retrying?.Dispose();
            _retrying = null;
        }
        _closing.Cancel();
        _store?.Dispose();
    }

    private sealed class HeadFormat : IStoredHeadFormat<StoredHead>
    {
        public void Write(StoredHead head, IBufferWriter<byte> writer) => StoredHeadFormat.Write(head, writer);

        public bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out StoredHead? head) => StoredHeadFormat.TryRead(bytes, out head) && head is not null;
    }
}
