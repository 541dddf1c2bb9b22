using System.Net;
using LoadBalancer.Discovery.Dns;

namespace LoadBalancer.Discovery.Sources;

/// <summary>The last good addresses of a name, of each kind: half an answer changes half of them.</summary>
internal sealed class LastGood
{
    private IPAddress[] _v4 = [], _v6 = [];

    /// <summary>All addresses, those of a failed part from before. An answer without any address changes nothing.</summary>
    internal IEnumerable<IPAddress> Merge(NameLookup found)
    {
        if (found.HasAddress) (_v4, _v6) = (found.V4 ?? _v4, found.V6 ?? _v6);
        return _v4.Concat(_v6);
    }
}
