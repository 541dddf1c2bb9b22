using System.Net;
using System.Net.Sockets;
using LoadBalancer.Testing;

namespace LoadBalancer.FunctionalTests;

/// <summary>
/// A destination that can be killed, with what its clients see of that: connections are reset, the port refuses. It can come back on the same port, which is kept
/// from others meanwhile.
/// </summary>
internal sealed class MortalOrigin : IAsyncDisposable
{
    private const string Answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    private readonly Socket _reservation; // bound, not listening: who connects is refused
    private readonly Lock _lock = new();
    private readonly List<RawClient> _connections = [];
    private Socket? _listener;
    private Task _accepting = Task.CompletedTask;
    private TaskCompletionSource? _awaited;
    private int _remaining;

    internal MortalOrigin()
    {
        _reservation = Bound(new IPEndPoint(IPAddress.Loopback, 0));
        Revive();
    }

    internal string Address => _reservation.LocalEndPoint!.ToString()!;

    /// <summary>Completes when so many more requests have come.</summary>
    internal Task ServedAsync(int requests, CancellationToken token)
    {
        lock (_lock)
        {
            _remaining = requests;
            _awaited = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _awaited.Task.WaitAsync(token);
        }
    }

    internal async Task KillAsync()
    {
        _listener!.Dispose();
        await _accepting;
        lock (_lock)
        {
            foreach (RawClient connection in _connections) connection.Reset();
            _connections.Clear();
        }
    }

    internal void Revive()
    {
        _listener = Bound(_reservation.LocalEndPoint!);
        _listener.Listen(128);
        _accepting = AcceptAsync(_listener);
    }

    private static Socket Bound(EndPoint endPoint)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        socket.Bind(endPoint);
        return socket;
    }

    private async Task AcceptAsync(Socket listener)
    {
        try
        {
            while (true)
            {
                RawClient connection = RawClient.Accepted(await listener.AcceptAsync());
                lock (_lock) _connections.Add(connection);
                _ = ServeAsync(connection);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task ServeAsync(RawClient connection)
    {
        try
        {
            while (true)
            {
                await connection.ReadUntilAsync("\r\n\r\n", CancellationToken.None);
                lock (_lock)
                {
                    if (--_remaining == 0) _awaited?.SetResult();
                }
                await connection.SendAsync(Answer, CancellationToken.None);
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            lock (_lock)
            {
                if (_connections.Remove(connection)) connection.Dispose();
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _reservation.Dispose();
    }
}
