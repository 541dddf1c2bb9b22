using System.Buffers.Binary;
using System.Net.Sockets;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.ProxyProtocol;

/// <summary>Version 1, a line of text (§2.1): "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443", or "PROXY UNKNOWN" with anything behind it.</summary>
internal static class ProxyHeaderV1
{
    /// <summary>Longest line, CRLF included.</summary>
    internal const int LengthMax = 107;

    internal static ReadOnlySpan<byte> Signature => "PROXY "u8;

    /// <param name="bytes">With the whole <see cref="Signature"/> in front.</param>
    /// <param name="header">The header when it is complete.</param>
    internal static ProxyHeaderStatus Parse(ReadOnlySpan<byte> bytes, out ProxyHeader header)
    {
        header = default;
        int end = bytes[..Math.Min(bytes.Length, LengthMax)].IndexOf("\r\n"u8);
        if (end < 0) return bytes.Length < LengthMax ? ProxyHeaderStatus.NeedMore : ProxyHeaderStatus.Malformed;
        header = new ProxyHeader { Length = end + 2 };
        ReadOnlySpan<byte> rest = bytes[Signature.Length..end];
        if (rest.SequenceEqual("UNKNOWN"u8) || rest.StartsWith("UNKNOWN "u8)) return ProxyHeaderStatus.Complete;

        bool isIPv6 = rest.StartsWith("TCP6 "u8);
        if (!isIPv6 && !rest.StartsWith("TCP4 "u8)) return ProxyHeaderStatus.Malformed;
        rest = rest["TCP4 "u8.Length..];
        Span<byte> addresses = stackalloc byte[32];
        Span<byte> source = addresses[..(isIPv6 ? 16 : 4)], destination = addresses[16..(isIPv6 ? 32 : 20)];
        if (!TakeAddress(ref rest, source) || !TakeAddress(ref rest, destination)
            || !TakePort(ref rest, out ushort sourcePort) || !AddressText.TryParseNumber(rest, ushort.MaxValue, out int destinationPort)) return ProxyHeaderStatus.Malformed;
        header = header with { Source = PeerAddress.FromBytes(source, sourcePort), Destination = PeerAddress.FromBytes(destination, (ushort)destinationPort) };
        return ProxyHeaderStatus.Complete;
    }

    private static bool TakeAddress(ref ReadOnlySpan<byte> rest, scoped Span<byte> address) =>
        TakeWord(ref rest, out ReadOnlySpan<byte> word) && (address.Length == 4 ? AddressText.TryParseIPv4(word, address) : AddressText.TryParseIPv6(word, address));

    private static bool TakePort(ref ReadOnlySpan<byte> rest, out ushort port)
    {
        bool isTaken = TakeWord(ref rest, out ReadOnlySpan<byte> word) & AddressText.TryParseNumber(word, ushort.MaxValue, out int number);
        port = (ushort)number;
        return isTaken;
    }

    // One space between two words, none elsewhere.
    private static bool TakeWord(ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> word)
    {
        int space = rest.IndexOf((byte)' ');
        word = space < 0 ? default : rest[..space];
        rest = rest[(space + 1)..];
        return space >= 0;
    }

    internal static int Write(Span<byte> output, in PeerAddress source, in PeerAddress destination)
    {
        if (!AddressPair.TryUnify(source, destination, out bool isIPv6))
        {
            "PROXY UNKNOWN\r\n"u8.CopyTo(output);
            return "PROXY UNKNOWN\r\n"u8.Length;
        }
        (isIPv6 ? "PROXY TCP6 "u8 : "PROXY TCP4 "u8).CopyTo(output);
        int at = "PROXY TCP4 "u8.Length;
        at += WriteAddress(output[at..], source, isIPv6);
        output[at++] = (byte)' ';
        at += WriteAddress(output[at..], destination, isIPv6);
        output[at++] = (byte)' ';
        source.Port.TryFormat(output[at..], out int written);
        at += written;
        output[at++] = (byte)' ';
        destination.Port.TryFormat(output[at..], out written);
        at += written;
        "\r\n"u8.CopyTo(output[at..]);
        return at + 2;
    }

    // IPv6 as its eight groups: no shorter form has to be chosen, nor any part be written as IPv4.
    private static int WriteAddress(Span<byte> output, in PeerAddress address, bool isIPv6)
    {
        if (!isIPv6) return address.FormatAddress(output);
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, address.AddressBits);
        int at = 0;
        for (int group = 0; group < 16; group += 2)
        {
            if (group > 0) output[at++] = (byte)':';
            BinaryPrimitives.ReadUInt16BigEndian(bytes[group..]).TryFormat(output[at..], out int written, "x");
            at += written;
        }
        return at;
    }
}
