using System.Net.Sockets;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Protection.Addresses;

/// <summary>Which clients a listener lets in, by address. Immutable, but for what the lists hold.</summary>
internal sealed class AccessRules(AccessConfig config, AddressListStore lists)
{
    private readonly AddressList[] _allow = lists.Get(config.Allow), _block = lists.Get(config.Block);
    private readonly string _allowNames = string.Join(',', config.Allow);

    /// <summary>Whether it only tells.</summary>
    internal bool IsDryRun { get; } = config.DryRun;

    /// <summary>Why a client is kept out, and by which list; <see cref="EndReason.None"/> where it is not. Peers of Unix sockets have no address, and are let in.</summary>
    // Hot path: per connection, or per request of a trusted proxy. 0 allocations.
    internal EndReason Refuses(in PeerAddress client, out string policy)
    {
        policy = "";
        if (client.Family is not (AddressFamily.InterNetwork or AddressFamily.InterNetworkV6)) return EndReason.None;
        foreach (AddressList list in _block)
        {
            if (!list.Contains(client)) continue;
            policy = list.Name;
            return EndReason.SourceBlocked;
        }
        if (_allow.Length == 0) return EndReason.None;
        foreach (AddressList list in _allow)
            if (list.Contains(client)) return EndReason.None;
        policy = _allowNames;
        return EndReason.SourceNotAllowed;
    }
}
