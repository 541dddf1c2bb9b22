using System.Net.Sockets;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Routing;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.ProxyProtocol;

/// <summary>From whom a listener takes PROXY headers, and what becomes of connections without one. Immutable.</summary>
internal sealed class ProxyHeaderPolicy(ProxyProtocolConfig config)
{
    private readonly CidrSet _trusted = CidrSet.Parse(config.TrustedPeers);

    internal long TimeoutMilliseconds { get; } = (long)config.Timeout.TotalMilliseconds;

    /// <summary>Whether peers that are not trusted are served, as themselves.</summary>
    internal bool ServesOthers { get; } = config.Mode != ProxyProtocolMode.Required;

    /// <summary>Whether a trusted peer may leave the header out.</summary>
    internal bool MayBeAbsent { get; } = config.Mode == ProxyProtocolMode.Optional;

    /// <summary>Whether a peer's header is believed. Who may connect to a Unix socket is decided by the permissions of its file.</summary>
    internal bool Trusts(in PeerAddress peer) => peer.Family == AddressFamily.Unix || _trusted.Contains(peer);
}
