using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
using System.Text;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.ProxyProtocol;
using LoadBalancer.Core.Transport;
using LoadBalancer.Limiting.Addresses;

namespace LoadBalancer.Core.Protection.Addresses;

/// <summary>Address blocks as text: "192.0.2.7", "192.0.2.0/24", "2001:db8::/32". Strict, as what is misread keeps out somebody else; allocates only to say what is wrong.</summary>
internal static class AddressBlockText
{
    private const int IPv4Bits = 32, AllBits = 128;
    private const string Expected = "expected \"192.0.2.7\", \"192.0.2.0/24\" or \"2001:db8::/32\"";

    /// <summary>Reads a block; false with the rest of a sentence about the text.</summary>
    internal static bool TryParse(ReadOnlySpan<byte> text, out AddressBlock block, [NotNullWhen(false)] out string? problem)
    {
        block = default;
        problem = null;
        int slash = text.IndexOf((byte)'/');
        if (!TryParseAddress(slash < 0 ? text : text[..slash], out PeerAddress address)) problem = $"is no address or block; {Expected}";
        else
        {
            // "::ffff:192.0.2.0/120" is written as IPv6, and its prefix counts so.
            bool isIPv4 = address.Family == AddressFamily.InterNetwork, isWrittenAsIPv4 = !text.Contains((byte)':');
            int offset = isWrittenAsIPv4 ? AllBits - IPv4Bits : 0, length = AllBits - offset;
            if (slash >= 0 && !AddressText.TryParseNumber(text[(slash + 1)..], AllBits - offset, out length)) problem = $"has no prefix length from 0 to {AllBits - offset}; {Expected}";
            else if (isIPv4 && offset + length < AllBits - IPv4Bits) problem = "begins as IPv4 and is wider than all of IPv4"; // nobody can mean that
            else
            {
                block = AddressBlock.Of(isIPv4, address.AddressBits, offset + length);
                if (block.First != address.AddressBits)
                    problem = $"has bits set after its prefix; did you mean \"{Format(block)}\" or \"{Format(AddressBlock.Of(isIPv4, address.AddressBits, AllBits))}\"?";
            }
        }
        return problem is null;
    }

    /// <inheritdoc cref="TryParse(ReadOnlySpan{byte}, out AddressBlock, out string?)"/>
    internal static bool TryParse(string text, out AddressBlock block, [NotNullWhen(false)] out string? problem) => TryParse(Encoding.UTF8.GetBytes(text), out block, out problem);

    /// <summary>Reads an address; its port is 0.</summary>
    internal static bool TryParseAddress(ReadOnlySpan<byte> text, out PeerAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        bool isIPv6 = text.Contains((byte)':');
        bool isAddress = isIPv6 ? AddressText.TryParseIPv6(text, bytes) : AddressText.TryParseIPv4(text, bytes[..4]);
        address = isAddress ? PeerAddress.FromBytes(isIPv6 ? bytes : bytes[..4], 0) : default;
        return isAddress;
    }

    /// <summary>The block as it is written: an address without its prefix length.</summary>
    internal static string Format(AddressBlock block)
    {
        Span<byte> bytes = stackalloc byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt128BigEndian(bytes, block.First);
        string address = new System.Net.IPAddress(block.IsIPv4 ? bytes[12..] : bytes).ToString();
        int length = block.IsIPv4 ? block.PrefixLength - (AllBits - IPv4Bits) : block.PrefixLength;
        return block.PrefixLength == AllBits ? address : $"{address}/{length}";
    }

    /// <summary>The block that stands for one client: an IPv4 address, or the /64 that whoever has an IPv6 address has whole.</summary>
    internal static AddressBlock OfClient(in PeerAddress client)
    {
        bool isIPv4 = client.Family == AddressFamily.InterNetwork;
        return AddressBlock.Of(isIPv4, client.AddressBits, isIPv4 ? AllBits : AllBits / 2);
    }
}
