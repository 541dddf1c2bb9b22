using System.Net;
using System.Net.Sockets;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Routing;

/// <summary>A short list of address blocks ("10.0.0.0/8", "2001:db8::/32", "192.0.2.1"). Immutable; looked through in order.</summary>
internal sealed class CidrSet
{
    private readonly (UInt128 Network, UInt128 Mask)[] _blocks;

    private CidrSet((UInt128, UInt128)[] blocks) => _blocks = blocks;

    internal static CidrSet Parse(IEnumerable<string> blocks) =>
        new([.. blocks.Select(b => TryParse(b, out var block) ? block : throw new FormatException($"not an address block: {b}"))]);

    internal static bool TryParse(string text, out (UInt128 Network, UInt128 Mask) block)
    {
        block = default;
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        if (!IPAddress.TryParse(slash < 0 ? text : text[..slash], out IPAddress? address)) return false;
        int bitsMax = address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128, bits = bitsMax;
        if (slash >= 0 && (!int.TryParse(text.AsSpan(slash + 1), System.Globalization.NumberStyles.None, null, out bits) || bits > bitsMax)) return false;
        bits += 128 - bitsMax; // IPv4 is held in its mapped form
        UInt128 mask = bits == 0 ? 0 : UInt128.MaxValue << (128 - bits);
        block = (PeerAddress.FromEndPoint(new IPEndPoint(address, 0)).AddressBits & mask, mask);
        return true;
    }

    internal bool Contains(PeerAddress address)
    {
        if (address.Family is not (AddressFamily.InterNetwork or AddressFamily.InterNetworkV6)) return false;
        foreach ((UInt128 network, UInt128 mask) in _blocks)
        {
            if ((address.AddressBits & mask) == network) return true;
        }
        return false;
    }
}
