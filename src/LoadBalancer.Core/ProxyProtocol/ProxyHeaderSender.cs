using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.ProxyProtocol;

/// <summary>Puts a PROXY header in front of everything that is sent on a connection to a destination.</summary>
internal static class ProxyHeaderSender
{
    /// <summary>
    /// Collects the header on a connection that has just been connected; it goes out with the first flush, so in one segment with the request, or with the
    /// first message of a TLS hand-shake. Where the other side is to speak first, flush at once.
    /// </summary>
    /// <param name="output">Of the connection itself, below any TLS. Nothing was written to it.</param>
    /// <param name="version"><see cref="ProxyProtocolVersion.Off"/> for none.</param>
    /// <param name="client">Whose connection it is; the default for the balancer's own.</param>
    internal static void Collect(TransportWriter output, ProxyProtocolVersion version, in AddressPair client)
    {
        if (version == ProxyProtocolVersion.Off) return;
        Span<byte> room = output.GetSpan(ProxyHeader.WriteMax);
        output.Advance(client.IsLocal ? ProxyHeader.WriteLocal(room, version) : ProxyHeader.Write(room, version, client.Source, client.Destination));
    }
}
