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

    // An IPv4 block is held in mapped form, like the addresses it is compared with. The family is compared too: "::/0" means every
    // IPv6 address and would otherwise take in all of IPv4.
    private readonly record struct Block(AddressFamily Family, UInt128 Network, UInt128 Mask);

    internal bool IsEmpty => _blocks.Length == 0;

    /// <summary>Parses blocks ("10.0.0.0/8", "2001:db8::/32") and single addresses ("::1").</summary>
    /// <exception cref="FormatException">One of them is neither; the message names it.</exception>
    internal static CidrSet Parse(IEnumerable<string> blocks)
    {
        var parsed = new List<Block>();
        foreach (string text in blocks)
        {
            if (!TryParse(text, out Block block, out string? problem)) throw new FormatException($"'{text}' {problem}");
            parsed.Add(block);
        }
        return parsed.Count == 0 ? Empty : new([.. parsed]);
    }

    /// <summary>What is wrong with a block, as the end of a sentence that begins with it; null when nothing is.</summary>
    internal static string? Check(string text) => TryParse(text, out _, out string? problem) ? null : problem;

    /// <summary>Whether an address lies in one of the blocks. Never for a Unix socket.</summary>
    internal bool Contains(in PeerAddress address)
    {
        UInt128 bits = address.AddressBits;
        foreach (Block block in _blocks)
        {
            if ((bits & block.Mask) == block.Network && address.Family == block.Family) return true;
        }
        return false;
    }

    private static bool TryParse(string text, out Block block, out string? problem)
    {
        block = default;
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        // IPAddress also takes "10.1" and "167772161" (inet_aton); in a list of whom to trust, that is a typing error.
        string addressText = slash < 0 ? text : text[..slash];
        if (!IPAddress.TryParse(addressText, out IPAddress? address) ||
            address.AddressFamily == AddressFamily.InterNetwork && addressText.Count('.') != 3)
        {
            problem = "is neither an IP address nor an address block such as 10.0.0.0/8";
            return false;
        }
        int widthMax = address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;
        int width = widthMax;
        if (slash >= 0 && (!int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out width) || width > widthMax))
        {
            problem = $"has a prefix length that is no number from 0 to {widthMax}";
            return false;
        }
        PeerAddress peer = PeerAddress.FromEndPoint(new IPEndPoint(address, 0));
        int bits = width + 128 - widthMax;
        UInt128 mask = bits == 0 ? UInt128.Zero : UInt128.MaxValue << (128 - bits);
        if (peer.Family == AddressFamily.InterNetwork && bits < 96)
        {
            problem = "is wider than the IPv4-mapped addresses it begins in; write it as an IPv4 block";
            return false;
        }
        if ((peer.AddressBits & ~mask) != UInt128.Zero)
        {
            problem = $"has bits set beyond its prefix length of {width}; write the first address of the block, or drop the length for a single address";
            return false;
        }
        block = new(peer.Family, peer.AddressBits, mask);
        problem = null;
        return true;
    }
}
