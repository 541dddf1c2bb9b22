using System.Net.Sockets;

namespace LoadBalancer.Edge.Tests;

/// <summary>HTTP by a Unix socket.</summary>
internal static class UnixHttp
{
    internal static HttpClient Client(string path) => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, token) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), token);
            return new NetworkStream(socket, ownsSocket: true);
        },
    });
}
