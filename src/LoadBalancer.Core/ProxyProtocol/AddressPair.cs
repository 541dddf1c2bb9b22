using System.Net.Sockets;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.ProxyProtocol;

/// <summary>Both ends of a client's connection: what a PROXY header tells a destination. The default stands for a connection of the balancer's own.</summary>
/// <param name="Source">The client.</param>
/// <param name="Destination">The address that it has connected to.</param>
internal readonly record struct AddressPair(PeerAddress Source, PeerAddress Destination)
{
    /// <summary>Of an accepted connection, as it or its PROXY header says. Asks the system.</summary>
    internal static AddressPair Of(TransportConnection client) => new(client.Remote, client.GetLocalAddress());

    /// <summary>Whether this is a connection of the balancer's own.</summary>
    internal bool IsLocal => Source.Family == AddressFamily.Unspecified;

    /// <summary>The one family in which both are written: IPv4 beside IPv6 in its mapped form (RFC 4291 §2.5.5.2). False where one is no IP address.</summary>
    internal static bool TryUnify(in PeerAddress source, in PeerAddress destination, out bool isIPv6)
    {
        isIPv6 = source.Family == AddressFamily.InterNetworkV6 || destination.Family == AddressFamily.InterNetworkV6;
        return IsIP(source) && IsIP(destination);
    }

    private static bool IsIP(in PeerAddress address) => address.Family is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6;
}
