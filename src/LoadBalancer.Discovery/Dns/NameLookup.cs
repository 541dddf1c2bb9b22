using System.Net;
using System.Net.Sockets;

namespace LoadBalancer.Discovery.Dns;

/// <summary>The addresses of a name. Those of a kind are null when that part of the look-up failed: then the last good ones of that kind stay.</summary>
internal sealed record NameLookup(IPAddress[]? V4, IPAddress[]? V6, TimeSpan ValidFor, string Problem)
{
    internal bool HasAddress => V4 is { Length: > 0 } || V6 is { Length: > 0 };

    internal bool IsFailed => V4 is null || V6 is null;

    internal static NameLookup None(string problem) => new([], [], default, problem);

    internal static NameLookup Of(IReadOnlyList<IPAddress> addresses, TimeSpan validFor) => new(
        [.. addresses.Where(a => a.AddressFamily == AddressFamily.InterNetwork && IsUsable(a))],
        [.. addresses.Where(a => a.AddressFamily == AddressFamily.InterNetworkV6 && IsUsable(a))], validFor, "has no usable address");

    /// <summary>Whether it is the address of one machine. Blocking name servers answer 0.0.0.0 for what they do not like.</summary>
    internal static bool IsUsable(IPAddress address) => address.AddressFamily == AddressFamily.InterNetwork
        ? address.GetAddressBytes()[0] is > 0 and < 224 // not "this network", multicast, reserved, broadcast
        : !address.Equals(IPAddress.IPv6Any) && !address.IsIPv6Multicast;
}
