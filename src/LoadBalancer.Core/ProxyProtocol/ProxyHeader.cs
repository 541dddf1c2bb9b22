using System.Net.Sockets;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.ProxyProtocol;

/// <summary>
/// A PROXY header: the first bytes of a connection, in which a proxy says whose connection it carries on (haproxy's proxy-protocol.txt, revision 2020/03/05;
/// the sections named here are its). Functions over bytes: no I/O, no allocation; nothing before the end of a header is taken for one.
/// </summary>
internal readonly record struct ProxyHeader
{
    /// <summary>Longest header that is read, in bytes: an address of 216 and some options (nginx: 4096; §2.2 allows 64 KiB). Version 1 has 107 at most.</summary>
    internal const int LengthMax = 4096;

    /// <summary>Room that <see cref="Write"/> and <see cref="WriteLocal"/> may need.</summary>
    internal const int WriteMax = ProxyHeaderV1.LengthMax;

    /// <summary>Length with everything that belongs to it, in bytes.</summary>
    internal int Length { get; init; }

    /// <summary>Whether it tells whose connection it is; else the socket's own addresses hold (§2.1 UNKNOWN, §2.2 LOCAL and what a stream cannot be).</summary>
    internal bool HasAddresses => Source.Family != AddressFamily.Unspecified;

    /// <summary>The client.</summary>
    internal PeerAddress Source { get; init; }

    /// <summary>The address that the client has connected to.</summary>
    internal PeerAddress Destination { get; init; }

    /// <summary>Looks for a header at the front of what has come so far.</summary>
    /// <param name="bytes">From the first byte of the connection on; what is behind the header is not looked at.</param>
    /// <param name="header">Valid where the result is <see cref="ProxyHeaderStatus.Complete"/>.</param>
    internal static ProxyHeaderStatus Parse(ReadOnlySpan<byte> bytes, out ProxyHeader header)
    {
        header = default;
        if (BeginsLike(bytes, ProxyHeaderV2.Signature))
            return bytes.Length < ProxyHeaderV2.Signature.Length ? ProxyHeaderStatus.NeedMore : ProxyHeaderV2.Parse(bytes, out header);
        if (BeginsLike(bytes, ProxyHeaderV1.Signature))
            return bytes.Length < ProxyHeaderV1.Signature.Length ? ProxyHeaderStatus.NeedMore : ProxyHeaderV1.Parse(bytes, out header);
        return ProxyHeaderStatus.Absent;
    }

    private static bool BeginsLike(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> signature) =>
        bytes.Length < signature.Length ? signature.StartsWith(bytes) : bytes.StartsWith(signature);

    /// <summary>Writes the header of a client's connection; one whose addresses are not both IP is unknown (version 1) or unspecified (version 2). Returns the length.</summary>
    /// <param name="output">Room for <see cref="WriteMax"/> bytes.</param>
    /// <param name="version">Not <see cref="ProxyProtocolVersion.Off"/>.</param>
    /// <param name="source">The client.</param>
    /// <param name="destination">The address that it has connected to.</param>
    internal static int Write(Span<byte> output, ProxyProtocolVersion version, in PeerAddress source, in PeerAddress destination) =>
        version == ProxyProtocolVersion.V1 ? ProxyHeaderV1.Write(output, source, destination) : ProxyHeaderV2.Write(output, source, destination);

    /// <summary>Writes the header of a connection of the balancer's own, as health checks make them. Returns the length.</summary>
    internal static int WriteLocal(Span<byte> output, ProxyProtocolVersion version) =>
        version == ProxyProtocolVersion.V1 ? ProxyHeaderV1.Write(output, default, default) : ProxyHeaderV2.WriteLocal(output);
}

/// <summary>What <see cref="ProxyHeader.Parse"/> found.</summary>
internal enum ProxyHeaderStatus : byte
{
    /// <summary>All bytes may belong to a header that is not whole yet.</summary>
    NeedMore,
    /// <summary>A header.</summary>
    Complete,
    /// <summary>Something else than a header.</summary>
    Absent,
    /// <summary>The beginning of a header, and then what breaks its rules.</summary>
    Malformed,
}
