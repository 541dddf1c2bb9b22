using System.Net;
using System.Net.Sockets;

namespace LoadBalancer.Testing;

/// <summary>A server whose every byte a test decides. The script runs once for each connection.</summary>
public sealed class ScriptedOrigin : IAsyncDisposable
{
    private readonly Socket _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _tasks = [];
    private int _connections;

    public ScriptedOrigin(Func<RawClient, int, CancellationToken, Task> script, EndPoint? endPoint = null)
    {
        endPoint ??= new IPEndPoint(IPAddress.Loopback, 0);
        _listener = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        _listener.Bind(endPoint);
        _listener.Listen(4096);
        EndPoint = _listener.LocalEndPoint!;
        _tasks.Add(AcceptAsync(script));
    }

    /// <summary>Answers every request with the same bytes, keeping the connection.</summary>
    public static ScriptedOrigin Answering(string response) => new(async (connection, _, token) =>
    {
        while (true)
        {
            await connection.ReadUntilAsync("\r\n\r\n", token);
            await connection.SendAsync(response, token);
        }
    });

    /// <summary>Answers every request with the head that it was sent, keeping the connection.</summary>
    public static ScriptedOrigin AnsweringWithHead() => new(async (connection, _, token) =>
    {
        while (true)
        {
            string head = await connection.ReadUntilAsync("\r\n\r\n", token);
            await connection.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {head.Length}\r\n\r\n{head}", token);
        }
    });

    public EndPoint EndPoint { get; }

    public string Address => EndPoint is UnixDomainSocketEndPoint ? $"unix:{EndPoint}" : EndPoint.ToString()!;

    public int Connections => Volatile.Read(ref _connections);

    private async Task AcceptAsync(Func<RawClient, int, CancellationToken, Task> script)
    {
        while (true)
        {
            Socket socket;
            try
            {
                socket = await _listener.AcceptAsync(_stop.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
            int number = Interlocked.Increment(ref _connections);
            _ = RunAsync(script, RawClient.Accepted(socket), number);
        }
    }

    private async Task RunAsync(Func<RawClient, int, CancellationToken, Task> script, RawClient connection, int number)
    {
        using (connection)
        {
            try
            {
                await script(connection, number, _stop.Token);
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // The other side, or the test, has ended it.
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await Task.WhenAll(_tasks);
        _stop.Dispose();
    }
}
