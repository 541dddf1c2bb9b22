namespace LoadBalancer.Core.Transport.Epoll;

/// <summary>Event loops on Linux epoll.</summary>
internal sealed class EpollTransportFactory : TransportFactory
{
    internal static bool IsSupported => OperatingSystem.IsLinux();

    internal override string Name => "epoll";

    internal override TransportLoop CreateLoop(int index, TimeProvider time) => new EpollLoop(index, time);

    internal override TransportListener Bind(ListenOptions options, int loopCount) => new EpollListener(options, loopCount);
}
