using System.Globalization;
using System.Net;
using System.Net.Sockets;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Routing;

/// <summary>A few address blocks, as in a list of trusted proxies. Immutable; matching allocates nothing and is linear in the blocks.</summary>
internal sealed class CidrSet
{
    internal static readonly CidrSet Empty = new([]);

    private readonly Block[] _blocks;

    private CidrSet(Block[] blocks) => _blocks = blocks;

    internal bool IsEmpty => _blocks.Length == 0;

    /// <summary>Parses blocks ("10.0.0.0/8", "2001:db8::/32") and single addresses ("::1").</summary>
    /// <exception cref="FormatException">One of them is neither, or has bits set after its prefix; the message names it.</exception>
    internal static CidrSet Parse(IEnumerable<string> blocks)
    {
        var parsed = new List<Block>();
        foreach (string text in blocks)
        {
            if (!TryParse(text, out Block block)) throw new FormatException($"'{text}' is no address block");
            // Read as its network it would trust more peers than the one address that is written.
            if (block.Address != block.Network) throw new FormatException($"'{text}' has bits set after its prefix");
            parsed.Add(block);
        }
        return parsed.Count == 0 ? Empty : new([.. parsed]);
    }

    /// <summary>Whether the text is a block or an address by syntax; it may have bits set after its prefix.</summary>
    internal static bool TryParse(string text, out Block block)
    {
        block = default;
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        // IPAddress also takes "10.1" and "167772161" (inet_aton); in a list of whom to trust, that is a typing error.
        string addressText = slash < 0 ? text : text[..slash];
        if (!IPAddress.TryParse(addressText, out IPAddress? address)) return false;
        bool isIPv4 = address.AddressFamily == AddressFamily.InterNetwork;
        if (isIPv4 && addressText.Count('.') != 3) return false;
        int widthMax = isIPv4 ? 32 : 128, width = widthMax;
        if (slash >= 0 && (!int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out width) || width > widthMax)) return false;
        int bits = width + 128 - widthMax;
        PeerAddress peer = PeerAddress.FromEndPoint(new IPEndPoint(address, 0));
        // "::ffff:10.0.0.0/8" begins as IPv4 and is wider than all of IPv4: nobody can mean that.
        if (peer.Family == AddressFamily.InterNetwork && bits < 96) return false;
        UInt128 mask = bits == 0 ? UInt128.Zero : UInt128.MaxValue << (128 - bits);
        block = new(peer.Family, peer.AddressBits, peer.AddressBits & mask, mask);
        return true;
    }

    /// <summary>Whether an address lies in one of the blocks. Never for a Unix socket.</summary>
    internal bool Contains(in PeerAddress address)
    {
        UInt128 bits = address.AddressBits;
        foreach (ref readonly Block block in _blocks.AsSpan())
        {
            if ((bits & block.Mask) == block.Network && address.Family == block.Family) return true;
        }
        return false;
    }

    // An IPv4 block is held in mapped form, like the addresses it is compared with. The family is compared too: "::/0" means every
    // IPv6 address and would otherwise take in all of IPv4.
    internal readonly record struct Block(AddressFamily Family, UInt128 Address, UInt128 Network, UInt128 Mask);
}
