using System.Diagnostics.CodeAnalysis;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Core.Protection.Addresses;

/// <summary>All address lists of a configuration, each read once. Filled by one thread; then fixed in which there are, while their contents follow their files.</summary>
internal sealed class AddressListStore
{
    private readonly Dictionary<string, AddressList> _lists = new(StringComparer.Ordinal);

    /// <param name="config">With the lists.</param>
    /// <param name="time">The clock.</param>
    /// <param name="before">The lists in use, of which those stay that have not changed; null for none.</param>
    internal AddressListStore(ProxyConfig config, TimeProvider time, AddressListStore? before = null)
    {
        foreach ((string name, AddressListConfig list) in config.AddressLists)
            _lists.Add(name, before?._lists.GetValueOrDefault(name) is { } kept && kept.Config == list ? kept : new AddressList(name, list, time));
    }

    internal IReadOnlyCollection<AddressList> All => _lists.Values;

    /// <summary>The lists of these names, all of which there are.</summary>
    internal AddressList[] Get(IReadOnlyList<string> names) => [.. names.Select(name => _lists[name])];

    internal bool TryGet(string name, [NotNullWhen(true)] out AddressList? list) => _lists.TryGetValue(name, out list);
}
