using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Events;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Admin.Registration;

/// <summary>What a registration did.</summary>
internal enum RegistryChange
{
    Added,
    /// <summary>Known before, with other settings or another address.</summary>
    Changed,
    /// <summary>Only its lease begins anew.</summary>
    Renewed,
    /// <summary>Refused: there are too many.</summary>
    Full,
}

/// <summary>One registration at one moment.</summary>
internal sealed record RegistrationView(TimeSpan Lease, DateTimeOffset ExpiresAt);

/// <summary>
/// Servers that registered themselves, with their leases. Their list goes to the balancer as a whole, which costs time in proportion to its length. So a renewal,
/// which changes nothing, goes nowhere, and other changes gather for a moment after each other: applying them takes a fifth of one core at the most, however
/// they come. Kept in memory only: after a restart they come back by their next renewal. Thread-safe.
/// </summary>
internal sealed class Registry : IDisposable
{
    internal const string Source = ProxyServer.RegistrationSource;
    internal const int DestinationsMax = 10_000; // of a cluster

    // From one list to the next: this long, and this many times what the last one took.
    private static readonly TimeSpan GatheringMin = TimeSpan.FromMilliseconds(10);
    private const int GatheringFactor = 4;

    // How late an expiry may be seen.
    private static readonly TimeSpan SweepInterval = TimeSpan.FromMilliseconds(250);

    // With longer gaps between two sweeps the balancer itself stood still, as may have those who would have renewed.
    private static readonly TimeSpan SweepGapMax = TimeSpan.FromSeconds(1);

    private readonly ProxyServer _proxy;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _changing = new();
    private readonly Lock _applying = new(); // taken before _changing, so that lists reach the server in their order
    private readonly Dictionary<string, Group> _groups = new(StringComparer.Ordinal);
    private readonly ITimer _gatherer, _sweeper;
    private long _sweptAt;
    private bool _isSweeping, _isDisposed;

    internal Registry(ProxyServer proxy, TimeProvider time, ILogger logger)
    {
        _proxy = proxy;
        _time = time;
        _logger = logger;
        _gatherer = time.CreateTimer(_ => ApplyAll(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _sweeper = time.CreateTimer(_ => Sweep(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    internal bool Has(string cluster, string id)
    {
        lock (_changing) return _groups.TryGetValue(cluster, out Group? group) && group.Entries.ContainsKey(id);
    }

    internal RegistrationView? Find(string cluster, string id)
    {
        lock (_changing)
        {
            if (!_groups.TryGetValue(cluster, out Group? group) || !group.Entries.TryGetValue(id, out Entry? entry)) return null;
            return new RegistrationView(entry.Lease, _time.GetUtcNow() + _time.GetElapsedTime(_time.GetTimestamp(), entry.ExpiresAt));
        }
    }

    /// <summary>All registrations, for a process that takes over.</summary>
    internal IReadOnlyList<(string Cluster, string Id, DestinationConfig Destination, TimeSpan Lease)> All
    {
        get
        {
            lock (_changing) return [.. _groups.SelectMany(group => group.Value.Entries.Select(entry => (group.Key, entry.Key, entry.Value.Destination, entry.Value.Lease)))];
        }
    }

    /// <summary>Adds, changes or renews a registration, all of it validated. In effect a moment later.</summary>
    internal RegistryChange Put(string cluster, string id, DestinationConfig destination, TimeSpan lease)
    {
        RegistryChange change;
        lock (_changing)
        {
            if (!_groups.TryGetValue(cluster, out Group? group)) _groups.Add(cluster, group = new Group());
            long now = _time.GetTimestamp(), expiresAt = now + (long)(lease.TotalSeconds * _time.TimestampFrequency);
            if (group.Entries.TryGetValue(id, out Entry? entry))
            {
                change = entry.Destination == destination ? RegistryChange.Renewed : RegistryChange.Changed;
                entry.Destination = destination;
                entry.Lease = lease;
                entry.ExpiresAt = expiresAt;
                if (change == RegistryChange.Renewed) return change;
            }
            else
            {
                if (group.Entries.Count >= DestinationsMax) return RegistryChange.Full;
                group.Entries.Add(id, new Entry { Destination = destination, Lease = lease, ExpiresAt = expiresAt });
                change = RegistryChange.Added;
                BeginSweeping(now);
            }
            if (!IsDue(group)) return change;
        }
        Apply(cluster);
        return change;
    }

    /// <summary>Takes a registration out; in effect when the task ends. False when there is none.</summary>
    internal async Task<bool> RemoveAsync(string cluster, string id)
    {
        Task? applied;
        lock (_changing)
        {
            if (!_groups.TryGetValue(cluster, out Group? group) || !group.Entries.Remove(id)) return false;
            applied = IsDue(group) ? null : (group.Applied ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
        if (applied is null) Apply(cluster);
        else await applied.ConfigureAwait(false);
        return true;
    }

    /// <summary>Brings what has changed in a cluster into effect, where anything has.</summary>
    internal void Apply(string cluster)
    {
        lock (_applying)
        {
            Group? group;
            Dictionary<string, DestinationConfig> destinations;
            TaskCompletionSource? applied;
            lock (_changing)
            {
                if (!_groups.TryGetValue(cluster, out group) || !group.IsDirty) return;
                if (!_proxy.Config.Clusters.ContainsKey(cluster))
                {
                    _groups.Remove(cluster); // a reload has taken it away, and its servers with it
                    group.Applied?.SetResult();
                    return;
                }
                group.IsDirty = false;
                applied = group.Applied;
                group.Applied = null;
                destinations = group.Entries.ToDictionary(entry => entry.Key, entry => entry.Value.Destination, StringComparer.Ordinal);
            }
            long start = _time.GetTimestamp();
            try
            {
                _proxy.UpdateDestinations(cluster, Source, destinations);
            }
            finally
            {
                lock (_changing)
                {
                    group.AppliedAt = _time.GetTimestamp();
                    TimeSpan gathering = _time.GetElapsedTime(start, group.AppliedAt.Value) * GatheringFactor;
                    group.Gathering = gathering > GatheringMin ? gathering : GatheringMin;
                }
                applied?.SetResult();
            }
        }
    }

    /// <summary>Ends expiry; what is registered stays as it is.</summary>
    public void Dispose()
    {
        ApplyAll(); // somebody may wait for it
        lock (_changing) _isDisposed = true;
        _gatherer.Dispose();
        _sweeper.Dispose();
    }

    private void ApplyAll()
    {
        string[] dirty;
        lock (_changing) dirty = [.. _groups.Where(group => group.Value.IsDirty).Select(group => group.Key)];
        foreach (string cluster in dirty)
        {
            try
            {
                Apply(cluster);
            }
            catch (Exception e) // a bug; on a timer it would end the process
            {
                AdminLog.NotApplied(_logger, cluster, e);
            }
        }
    }

    // Under the lock, after a change. True when it is to be applied now; else the gatherer will.
    private bool IsDue(Group group)
    {
        group.IsDirty = true;
        if (_isDisposed || group.AppliedAt is not { } last) return true;
        TimeSpan left = group.Gathering - _time.GetElapsedTime(last);
        if (left <= TimeSpan.Zero) return true;
        _gatherer.Change(left, Timeout.InfiniteTimeSpan);
        return false;
    }

    private void BeginSweeping(long now)
    {
        if (_isSweeping || _isDisposed) return;
        _isSweeping = true;
        _sweptAt = now;
        _sweeper.Change(SweepInterval, SweepInterval);
    }

    private void Sweep()
    {
        List<(string Cluster, string Id, TimeSpan Lease)> expired = [];
        TimeSpan gap;
        lock (_changing)
        {
            long now = _time.GetTimestamp();
            gap = _time.GetElapsedTime(_sweptAt, now);
            long extension = gap > SweepGapMax ? now - _sweptAt : 0;
            _sweptAt = now;
            bool any = false;
            foreach ((string cluster, Group group) in _groups)
            {
                foreach ((string id, Entry entry) in group.Entries)
                {
                    entry.ExpiresAt += extension;
                    if (entry.ExpiresAt > now) continue;
                    group.Entries.Remove(id); // which a dictionary allows while it is gone through
                    group.IsDirty = true;
                    expired.Add((cluster, id, entry.Lease));
                }
                any |= group.Entries.Count > 0;
            }
            if (!any && !_isDisposed)
            {
                _isSweeping = false;
                _sweeper.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }
        }
        if (gap > SweepGapMax) AdminLog.Extended(_logger, gap.TotalSeconds);
        foreach ((string cluster, string id, TimeSpan lease) in expired)
        {
            AdminLog.Expired(_logger, cluster, id, lease);
            _proxy.Events.Add(ServerEventKind.DestinationExpired, $"{cluster}/{id}", $"was not renewed for {DurationText.Format(lease)}");
        }
        if (expired.Count > 0) ApplyAll();
    }

    private sealed class Group
    {
        internal readonly Dictionary<string, Entry> Entries = new(StringComparer.Ordinal);
        internal bool IsDirty;
        internal long? AppliedAt; // timestamp ticks
        internal TimeSpan Gathering;
        internal TaskCompletionSource? Applied; // of what is to be applied next; null when nobody waits
    }

    private sealed class Entry
    {
        internal required DestinationConfig Destination;
        internal required TimeSpan Lease;
        internal required long ExpiresAt; // timestamp ticks
    }
}
