using System.Net;
using System.Net.Sockets;

namespace LoadBalancer.FunctionalTests;

/// <summary>An address that answers no attempt to connect: a listener that accepts nobody, whose queue is full.</summary>
internal sealed class BlackHole : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly List<Socket> _queued = [];

    internal BlackHole()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(1);
    }

    internal string Address => _listener.LocalEndPoint!.ToString()!;

    /// <summary>Fills the queue: as many as it takes until one more is left without an answer.</summary>
    internal async Task FillAsync(CancellationToken token)
    {
        // Linux takes one more than asked for.
        for (int i = 0; i < 2; i++)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            _queued.Add(socket);
            await socket.ConnectAsync(_listener.LocalEndPoint!, token);
        }
    }

    public void Dispose()
    {
        foreach (Socket socket in _queued) socket.Dispose();
        _listener.Dispose();
    }
}
