using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace LoadBalancer.Core.Transport.Epoll;

/// <summary>struct sockaddr_in, sockaddr_in6 and sockaddr_un as bytes, to and from the types of the layers above.</summary>
internal static class SocketAddress
{
    internal const int SizeMax = 110; // sockaddr_un

    /// <summary>Writes the address; returns its length.</summary>
    /// <exception cref="ArgumentException">No kind of address that can be connected or bound, or a Unix path that is too long.</exception>
    internal static int Write(EndPoint endPoint, Span<byte> destination, out int family)
    {
        destination.Clear();
        switch (endPoint)
        {
            case IPEndPoint { AddressFamily: AddressFamily.InterNetwork } ip:
                family = Libc.AF_INET;
                BitConverter.TryWriteBytes(destination, (ushort)family);
                BinaryPrimitives.WriteUInt16BigEndian(destination[2..], (ushort)ip.Port);
                ip.Address.TryWriteBytes(destination[4..], out _);
                return 16;
            case IPEndPoint ip:
                family = Libc.AF_INET6;
                BitConverter.TryWriteBytes(destination, (ushort)family);
                BinaryPrimitives.WriteUInt16BigEndian(destination[2..], (ushort)ip.Port);
                ip.Address.TryWriteBytes(destination[8..], out _);
                BitConverter.TryWriteBytes(destination[24..], (uint)ip.Address.ScopeId);
                return 28;
            case UnixDomainSocketEndPoint unix:
                family = Libc.AF_UNIX;
                BitConverter.TryWriteBytes(destination, (ushort)family);
                string path = unix.ToString();
                if (Encoding.UTF8.GetByteCount(path) > 107) throw new ArgumentException($"the path of a Unix socket has at most 107 bytes: {path}");
                return 2 + Encoding.UTF8.GetBytes(path, destination[2..]) + 1;
            default:
                throw new ArgumentException($"not an address to connect to: {endPoint}");
        }
    }

    /// <summary>The address as an endpoint; null where it is of another kind, or of a socket without a name.</summary>
    internal static EndPoint? ReadEndPoint(ReadOnlySpan<byte> address)
    {
        if (address.Length < 2) return null;
        switch (BitConverter.ToUInt16(address))
        {
            case Libc.AF_INET when address.Length >= 8:
                return new IPEndPoint(new IPAddress(address.Slice(4, 4)), BinaryPrimitives.ReadUInt16BigEndian(address[2..]));
            case Libc.AF_INET6 when address.Length >= 24:
                return new IPEndPoint(new IPAddress(address.Slice(8, 16)), BinaryPrimitives.ReadUInt16BigEndian(address[2..]));
            case Libc.AF_UNIX when address.Length > 3 && address[2] != 0:
                ReadOnlySpan<byte> path = address[2..];
                int end = path.IndexOf((byte)0);
                return new UnixDomainSocketEndPoint(Encoding.UTF8.GetString(end < 0 ? path : path[..end]));
            default:
                return null;
        }
    }

    internal static PeerAddress Read(ReadOnlySpan<byte> address)
    {
        if (address.Length < 2) return PeerAddress.Unix;
        return BitConverter.ToUInt16(address) switch
        {
            Libc.AF_INET => PeerAddress.FromBytes(address.Slice(4, 4), BinaryPrimitives.ReadUInt16BigEndian(address[2..])),
            Libc.AF_INET6 => PeerAddress.FromBytes(address.Slice(8, 16), BinaryPrimitives.ReadUInt16BigEndian(address[2..])),
            _ => PeerAddress.Unix,
        };
    }
}
