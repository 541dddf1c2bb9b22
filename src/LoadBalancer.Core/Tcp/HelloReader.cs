using LoadBalancer.Core.Buffers;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Tls;

namespace LoadBalancer.Core.Tcp;

/// <summary>Reads one client's ClientHello and finds the cluster for the name in it.</summary>
internal sealed class HelloReader(TcpSnapshot tcp)
{
    private ClientHello _hello;

    /// <summary>Where the client is to go, once complete; null for nowhere.</summary>
    internal ClusterSnapshot? Cluster { get; private set; }

    /// <summary>Looks at all bytes so far.</summary>
    internal ClientHelloStatus Read(ReadOnlySpan<byte> bytes, SlabPool slabs)
    {
        Slab room = slabs.Lease(ClientHello.LengthMax);
        ClientHelloStatus status = _hello.Parse(bytes, room.Array, out ReadOnlySpan<byte> name);
        if (status == ClientHelloStatus.Complete) Cluster = tcp.Find(name);
        slabs.Return(room);
        return status;
    }
}
