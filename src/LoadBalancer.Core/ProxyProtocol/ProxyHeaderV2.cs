using System.Buffers.Binary;
using System.Numerics;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.ProxyProtocol;

/// <summary>
/// Version 2, binary (§2.2): the signature, version and command, family and protocol, the length of the rest; then both addresses, then options (TLVs).
/// </summary>
internal static class ProxyHeaderV2
{
    private const int PrefixLength = 16; // up to the addresses
    private const byte Local = 0x20, Proxy = 0x21; // version 2, command
    private const byte Unspecified = 0x00, TcpOverIPv4 = 0x11, UdpOverIPv4 = 0x12, TcpOverIPv6 = 0x21, UdpOverIPv6 = 0x22, UnixStream = 0x31, UnixDatagram = 0x32;
    private const byte Checksum = 0x03; // PP2_TYPE_CRC32C

    internal static ReadOnlySpan<byte> Signature => "\r\n\r\n\0\r\nQUIT\n"u8;

    /// <param name="bytes">With the whole <see cref="Signature"/> in front.</param>
    /// <param name="header">The header when it is complete.</param>
    internal static ProxyHeaderStatus Parse(ReadOnlySpan<byte> bytes, out ProxyHeader header)
    {
        header = default;
        if (bytes.Length > Signature.Length && bytes[Signature.Length] is not (Local or Proxy)) return ProxyHeaderStatus.Malformed;
        if (bytes.Length < PrefixLength) return ProxyHeaderStatus.NeedMore;
        int length = PrefixLength + BinaryPrimitives.ReadUInt16BigEndian(bytes[(PrefixLength - 2)..]);
        if (length > ProxyHeader.LengthMax) return ProxyHeaderStatus.Malformed;
        if (bytes.Length < length) return ProxyHeaderStatus.NeedMore;

        bytes = bytes[..length];
        header = new ProxyHeader { Length = length };
        byte family = bytes[PrefixLength - 3];
        // The rest of such a header means nothing, whatever it is.
        if (bytes[Signature.Length] == Local || family == Unspecified) return ProxyHeaderStatus.Complete;
        int addressesLength = family switch
        {
            TcpOverIPv4 or UdpOverIPv4 => 12,
            TcpOverIPv6 or UdpOverIPv6 => 36,
            UnixStream or UnixDatagram => 216,
            _ => int.MaxValue, // "receivers must drop connections presenting unexpected values"
        };
        if (length - PrefixLength < addressesLength || !AreOptionsSound(bytes, PrefixLength + addressesLength)) return ProxyHeaderStatus.Malformed;
        ReadOnlySpan<byte> addresses = bytes.Slice(PrefixLength, addressesLength);
        header = family switch
        {
            TcpOverIPv4 => header with { Source = AddressAt(addresses, 0, 4), Destination = AddressAt(addresses, 1, 4) },
            TcpOverIPv6 => header with { Source = AddressAt(addresses, 0, 16), Destination = AddressAt(addresses, 1, 16) },
            UnixStream => header with { Source = PeerAddress.Unix, Destination = PeerAddress.Unix },
            _ => header, // datagrams: what this connection carries is none; as unspecified
        };
        return ProxyHeaderStatus.Complete;
    }

    // Both addresses, then both ports.
    private static PeerAddress AddressAt(ReadOnlySpan<byte> addresses, int index, int size) =>
        PeerAddress.FromBytes(addresses.Slice(index * size, size), BinaryPrimitives.ReadUInt16BigEndian(addresses[(2 * size + 2 * index)..]));

    /// <summary>Whether the options fill the header to its end, and its checksum, where it has one, is right (§2.2.4). The others are left unread.</summary>
    private static bool AreOptionsSound(ReadOnlySpan<byte> header, int at)
    {
        int checksumAt = 0;
        while (at < header.Length)
        {
            if (header.Length - at < 3) return false;
            int length = BinaryPrimitives.ReadUInt16BigEndian(header[(at + 1)..]), valueAt = at + 3;
            if (length > header.Length - valueAt) return false;
            if (header[at] == Checksum)
            {
                if (length != 4 || checksumAt > 0) return false;
                checksumAt = valueAt;
            }
            at = valueAt + length;
        }
        if (checksumAt == 0) return true;
        // Computed with zeros in its own place.
        uint crc = Crc32C(Crc32C(Crc32C(uint.MaxValue, header[..checksumAt]), [0, 0, 0, 0]), header[(checksumAt + 4)..]);
        return ~crc == BinaryPrimitives.ReadUInt32BigEndian(header[checksumAt..]);
    }

    private static uint Crc32C(uint crc, ReadOnlySpan<byte> bytes)
    {
        foreach (byte one in bytes) crc = BitOperations.Crc32C(crc, one);
        return crc;
    }

    internal static int Write(Span<byte> output, in PeerAddress source, in PeerAddress destination)
    {
        if (!AddressPair.TryUnify(source, destination, out bool isIPv6)) return WritePrefix(output, Proxy, Unspecified, 0);
        int size = isIPv6 ? 16 : 4;
        int length = WritePrefix(output, Proxy, isIPv6 ? TcpOverIPv6 : TcpOverIPv4, 2 * size + 4);
        Span<byte> bytes = stackalloc byte[16];
        Span<byte> addresses = output[PrefixLength..];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, source.AddressBits);
        bytes[(16 - size)..].CopyTo(addresses);
        BinaryPrimitives.WriteUInt128BigEndian(bytes, destination.AddressBits);
        bytes[(16 - size)..].CopyTo(addresses[size..]);
        BinaryPrimitives.WriteUInt16BigEndian(addresses[(2 * size)..], source.Port);
        BinaryPrimitives.WriteUInt16BigEndian(addresses[(2 * size + 2)..], destination.Port);
        return length;
    }

    internal static int WriteLocal(Span<byte> output) => WritePrefix(output, Local, Unspecified, 0);

    private static int WritePrefix(Span<byte> output, byte command, byte family, int addressesLength)
    {
        Signature.CopyTo(output);
        output[12] = command;
        output[13] = family;
        BinaryPrimitives.WriteUInt16BigEndian(output[14..], (ushort)addressesLength);
        return PrefixLength + addressesLength;
    }
}
