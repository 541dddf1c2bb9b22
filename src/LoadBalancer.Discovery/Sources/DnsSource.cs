using System.Net;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Discovery.Dns;

namespace LoadBalancer.Discovery.Sources;

/// <summary>Each address of a name is a destination, named by itself.</summary>
internal sealed class DnsSource : IDestinationSource
{
    private readonly DiscoverConfig _config;
    private readonly DnsResolver _resolver;
    private readonly string _name;
    private readonly int _port;
    private readonly LastGood _last = new();

    internal DnsSource(DiscoverConfig config, DnsResolver resolver)
    {
        _config = config;
        _resolver = resolver;
        if (!DiscoverValidator.TrySplitName(config.Dns!, out _name, out _port, out string error)) throw new FormatException(error);
    }

    /// <inheritdoc/>
    public string Name => $"dns {_config.Dns}";

    /// <inheritdoc/>
    public async Task<SourceReading> ReadAsync(CancellationToken token)
    {
        NameLookup found = await _resolver.LookUpAsync(_name, token).ConfigureAwait(false);
        if (!found.HasAddress) return new SourceReading(null, default, $"{_name} {found.Problem}");
        var destinations = new Dictionary<string, DestinationConfig>(StringComparer.Ordinal);
        foreach (IPAddress address in _last.Merge(found))
        {
            string text = new IPEndPoint(address, _port).ToString();
            destinations.TryAdd(text, new DestinationConfig { Address = text, Tier = _config.Tier, RequestsMax = _config.RequestsMax });
        }
        return new SourceReading(destinations, found.ValidFor, found.IsFailed ? $"{_name} {found.Problem}" : null);
    }
}
