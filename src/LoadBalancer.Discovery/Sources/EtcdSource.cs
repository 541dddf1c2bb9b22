using LoadBalancer.Core.Configuration;
using LoadBalancer.Discovery.Etcd;
using LoadBalancer.Discovery.Remote;

namespace LoadBalancer.Discovery.Sources;

/// <summary>Each key of etcd under a prefix is a destination: what follows the prefix its name, the value its address, alone or with its settings.</summary>
internal sealed class EtcdSource : IDestinationSource
{
    /// <summary>Largest value that is read.</summary>
    internal const int ValueBytesMax = 4096;

    // An answer has up to 1,000 keys, of which few have values of any size.
    private const int AnswerBytesMax = 16 * 1024 * 1024;

    // Changes that come close together are brought in together.
    internal static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(50);

    private readonly EtcdConfig _config;
    private readonly DestinationConfig _defaults;
    private readonly EtcdRange _range;
    private Dictionary<string, Entry> _entries = [];

    internal EtcdSource(EtcdConfig config, DiscoverConfig discover, TimeProvider time)
    {
        _config = config;
        _defaults = new DestinationConfig { Address = "", Tier = discover.Tier, RequestsMax = discover.RequestsMax };
        _range = new EtcdRange(EtcdAccess.Of(config), config.Prefix, isPrefix: true, new EtcdBounds(FleetDiscovery.DestinationsMax, ValueBytesMax, AnswerBytesMax), discover.IntervalMax, time);
    }

    /// <inheritdoc/>
    public string Name => $"etcd {_config.Prefix}";

    /// <inheritdoc/>
    public bool IsWatched => true;

    /// <inheritdoc/>
    public async Task<SourceReading> ReadAsync(CancellationToken token)
    {
        try
        {
            await _range.NextAsync(token).ConfigureAwait(false);
        }
        catch (ApiException e)
        {
            return new SourceReading(null, default, e.Message);
        }
        string prefix = EtcdRange.Text(_config.Prefix);
        var entries = new Dictionary<string, Entry>(StringComparer.Ordinal);
        var destinations = new Dictionary<string, DestinationConfig>(StringComparer.Ordinal);
        string? problem = _range.IsFull ? $"there are {FleetDiscovery.DestinationsMax} keys or more; those beyond are left out" : null;
        foreach ((string key, byte[]? value) in _range.Keys)
        {
            if (!key.StartsWith(prefix, StringComparison.Ordinal)) continue; // it was not asked for
            Entry entry = Read(key, key[prefix.Length..], value);
            entries.Add(key, entry);
            problem ??= entry.Problem;
            if (entry.Destination is { } destination) destinations.Add(key[prefix.Length..], destination);
        }
        _entries = entries;
        // Not a failure of etcd's: there is nothing to try again before the value is another.
        return new SourceReading(destinations, Gathering, problem) { IsAnswered = true };
    }

    // A value that cannot be used leaves what its key said before.
    private Entry Read(string key, string name, byte[]? value)
    {
        Entry? before = _entries.GetValueOrDefault(key);
        if (before is not null && before.Value == value && value is not null) return before;
        DestinationConfig? destination = EtcdValue.Parse(name, value, _defaults, out string? problem);
        return new Entry(value, destination ?? before?.Destination, problem is null ? null : $"{_config.Prefix}{ApiException.Short(name)}: {problem}");
    }

    /// <inheritdoc/>
    public void Dispose() => _range.Dispose();

    private sealed record Entry(byte[]? Value, DestinationConfig? Destination, string? Problem);
}
