using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace LoadBalancer.Core.Transport;

/// <summary>
/// An IP address and port, or "a Unix socket", as a value: a connection's peer is known without allocating an <see cref="IPEndPoint"/>.
/// IPv4-mapped IPv6 addresses are held as IPv4, so a dual-stack listener and an IPv4 one see the same client alike.
/// </summary>
public readonly record struct PeerAddress
{
    private readonly ulong _high; // the 16 address bytes, network order
    private readonly ulong _low;

    private PeerAddress(AddressFamily family, ulong high, ulong low, ushort port)
    {
        Family = family;
        _high = high;
        _low = low;
        Port = port;
    }

    /// <summary>InterNetwork, InterNetworkV6, Unix, or Unspecified for the default value.</summary>
    public AddressFamily Family { get; }

    /// <summary>TCP port; 0 for a Unix socket.</summary>
    public ushort Port { get; }

    /// <summary>The peer of a Unix socket.</summary>
    public static PeerAddress Unix => new(AddressFamily.Unix, 0, 0, 0);

    /// <summary>From 4 or 16 address bytes in network order.</summary>
    public static PeerAddress FromBytes(ReadOnlySpan<byte> address, ushort port)
    {
        if (address.Length == 4) return new(AddressFamily.InterNetwork, 0, 0x0000FFFF_00000000UL | BinaryPrimitives.ReadUInt32BigEndian(address), port);
        ulong high = BinaryPrimitives.ReadUInt64BigEndian(address), low = BinaryPrimitives.ReadUInt64BigEndian(address[8..]);
        bool mapped = high == 0 && low >> 32 == 0xFFFF; // RFC 4291 §2.5.5.2
        return new(mapped ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6, high, low, port);
    }

    /// <summary>From a framework endpoint; anything but IP is taken for a Unix socket.</summary>
    public static PeerAddress FromEndPoint(EndPoint? endPoint)
    {
        if (endPoint is not IPEndPoint ip) return endPoint is null ? default : Unix;
        Span<byte> bytes = stackalloc byte[16];
        ip.Address.TryWriteBytes(bytes, out int written);
        return FromBytes(bytes[..written], (ushort)ip.Port);
    }

    /// <summary>The address as 16 bytes, IPv4 in its mapped form.</summary>
    public UInt128 AddressBits => new(_high, _low);

    /// <summary>The address without port.</summary>
    public IPAddress ToIPAddress()
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, _high);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], _low);
        return Family == AddressFamily.InterNetwork ? new IPAddress(bytes[12..]) : new IPAddress(bytes);
    }

    /// <summary>Writes the address without port as text ("192.0.2.1", "2001:db8::1"; "unix" for a Unix socket). 45 bytes are always enough.</summary>
    public int FormatAddress(Span<byte> destination)
    {
        if (Family == AddressFamily.InterNetwork)
        {
            int at = 0;
            for (int shift = 24; shift >= 0; shift -= 8)
            {
                ((byte)(_low >> shift)).TryFormat(destination[at..], out int written);
                at += written;
                if (shift > 0) destination[at++] = (byte)'.';
            }
            return at;
        }
        if (Family == AddressFamily.InterNetworkV6)
        {
            ToIPAddress().TryFormat(destination, out int written);
            return written;
        }
        "unix"u8.CopyTo(destination);
        return 4;
    }

    /// <inheritdoc/>
    public override string ToString() => Family switch
    {
        AddressFamily.InterNetwork or AddressFamily.InterNetworkV6 => new IPEndPoint(ToIPAddress(), Port).ToString(),
        _ => "unix",
    };
}
