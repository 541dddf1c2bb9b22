namespace LoadBalancer.Core.Transport.Sockets;

/// <summary>Loops over System.Net.Sockets: for platforms without epoll, and the second opinion on what the transport contract means.</summary>
internal sealed class SocketsTransportFactory : TransportFactory
{
    internal override string Name => "sockets";

    internal override TransportLoop CreateLoop(int index, TimeProvider time) => new SocketsLoop(index, time);

    internal override TransportListener Bind(ListenOptions options, int loopCount) => new SocketsListener(options);
}
