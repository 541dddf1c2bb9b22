using System.Net;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Discovery.Dns;

namespace LoadBalancer.Discovery.Sources;

/// <summary>SRV records (RFC 2782): each address of each target is a destination. Addresses come with the records, or are looked up.</summary>
internal sealed class SrvSource(DiscoverConfig config, DnsResolver resolver) : IDestinationSource
{
    private const int TargetsMax = 1000, LookupsAtOnce = 8;
    private Dictionary<string, LastGood> _last = new(StringComparer.OrdinalIgnoreCase);

    /// <inheritdoc/>
    public string Name => $"srv {config.Srv}";

    /// <inheritdoc/>
    public async Task<SourceReading> ReadAsync(CancellationToken token)
    {
        DnsAnswer answer = await resolver.ServicesAsync(config.Srv!, token).ConfigureAwait(false);
        // A target "." says that there is no such service; that ends as no answer does, with the last good one.
        DnsRecord[] records = [.. answer.Records.Where(r => r.Port > 0 && HostName.IsValid(r.Target))];
        if (records.Length == 0) return new SourceReading(null, default, $"{config.Srv} {(answer.Problem.Length > 0 ? answer.Problem : "has no usable SRV record")}");
        string[] targets = [.. records.Select(r => r.Target).Distinct(StringComparer.OrdinalIgnoreCase).Take(TargetsMax)];
        var found = new NameLookup[targets.Length];
        await Parallel.ForAsync(0, targets.Length, new ParallelOptions { MaxDegreeOfParallelism = LookupsAtOnce, CancellationToken = token },
            async (i, cancelled) => found[i] = Beside(answer, targets[i]) ?? await resolver.LookUpAsync(targets[i] + ".", cancelled).ConfigureAwait(false)).ConfigureAwait(false);

        var last = new Dictionary<string, LastGood>(StringComparer.OrdinalIgnoreCase);
        TimeSpan validFor = TimeSpan.FromSeconds(answer.TtlSeconds);
        string? problem = null;
        var addresses = new Dictionary<string, IPAddress[]>(StringComparer.OrdinalIgnoreCase);
        for (int i = 0; i < targets.Length; i++)
        {
            LastGood good = _last.GetValueOrDefault(targets[i]) ?? new LastGood();
            last.Add(targets[i], good);
            addresses.Add(targets[i], [.. good.Merge(found[i])]);
            if (found[i].HasAddress && found[i].ValidFor < validFor) validFor = found[i].ValidFor;
            if (!found[i].HasAddress || found[i].IsFailed) problem ??= $"{targets[i]} {found[i].Problem}";
        }
        _last = last;
        Dictionary<string, DestinationConfig> destinations = Destinations(records, addresses);
        return destinations.Count == 0 ? new SourceReading(null, default, problem) : new SourceReading(destinations, validFor, problem);
    }

    private Dictionary<string, DestinationConfig> Destinations(DnsRecord[] records, Dictionary<string, IPAddress[]> addresses)
    {
        var destinations = new Dictionary<string, DestinationConfig>(StringComparer.Ordinal);
        int tier = config.Tier;
        foreach (IGrouping<ushort, DnsRecord> priority in records.GroupBy(r => r.Priority).OrderBy(g => g.Key))
        {
            int[] weights = SrvWeights.Scale([.. priority.Select(r => r.Weight)]);
            foreach ((int i, DnsRecord record) in priority.Index())
                foreach (IPAddress address in addresses.GetValueOrDefault(record.Target) ?? [])
                {
                    if (destinations.Count == FleetDiscovery.DestinationsMax) return destinations;
                    string text = new IPEndPoint(address, record.Port).ToString();
                    destinations.TryAdd(text, new DestinationConfig { Address = text, Weight = weights[i], Tier = tier, RequestsMax = config.RequestsMax });
                }
            if (tier < ConfigRanges.Tier.Max) tier++;
        }
        return destinations;
    }

    // What came beside the records; null when nothing did.
    private static NameLookup? Beside(DnsAnswer answer, string target)
    {
        DnsRecord[] beside = [.. answer.Beside.Where(r => r.Address is not null && r.Owner.Equals(target, StringComparison.OrdinalIgnoreCase))];
        if (beside.Length == 0) return null;
        NameLookup found = NameLookup.Of([.. beside.Select(r => r.Address!)], TimeSpan.FromSeconds(beside.Min(r => r.TtlSeconds)));
        return found.HasAddress ? found : null;
    }
}
