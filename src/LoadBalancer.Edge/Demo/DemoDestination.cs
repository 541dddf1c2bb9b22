using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace LoadBalancer.Edge.Demo;

/// <summary>
/// A small HTTP/1.1 server that answers every request with its name after a fixed delay. For the demo only: it understands
/// keep-alive, but not request bodies, after which it closes.
/// </summary>
internal sealed class DemoDestination : IAsyncDisposable
{
    private const int HeadBytesMax = 64 * 1024;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly TimeSpan _delay;
    private readonly Task _accepting;

    internal DemoDestination(string name, TimeSpan delay)
    {
        Name = name;
        _delay = delay;
        _listener.Start(512);
        _accepting = AcceptAsync();
    }

    internal string Name { get; }

    internal double DelayMilliseconds => _delay.TotalMilliseconds;

    internal string Address => ((IPEndPoint)_listener.LocalEndpoint).ToString();

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
            {
                Socket socket = await _listener.AcceptSocketAsync(_stopping.Token);
                connections.RemoveAll(c => c.IsCompleted);
                connections.Add(ServeAsync(socket));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
        await Task.WhenAll(connections);
    }

    private async Task ServeAsync(Socket socket)
    {
        try
        {
            socket.NoDelay = true;
            using var stream = new NetworkStream(socket, ownsSocket: true);
            byte[] buffer = new byte[HeadBytesMax];
            int count = 0;
            while (true)
            {
                int end;
                while ((end = buffer.AsSpan(0, count).IndexOf("\r\n\r\n"u8)) < 0)
                {
                    if (count == buffer.Length) return;
                    int read = await stream.ReadAsync(buffer.AsMemory(count), _stopping.Token);
                    if (read == 0) return;
                    count += read;
                }
                string head = Encoding.Latin1.GetString(buffer, 0, end + 2);
                bool hasBody = head.Contains("\r\nContent-Length:", StringComparison.OrdinalIgnoreCase) || head.Contains("\r\nTransfer-Encoding:", StringComparison.OrdinalIgnoreCase);
                bool isHead = head.StartsWith("HEAD ", StringComparison.Ordinal);
                count -= end + 4;
                buffer.AsSpan(end + 4, count).CopyTo(buffer);

                await Task.Delay(_delay, _stopping.Token);
                string body = $"Hello from {Name}\n";
                string answer = string.Create(CultureInfo.InvariantCulture,
                    $"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {body.Length}\r\n{(hasBody ? "Connection: close\r\n" : "")}\r\n{(isHead ? "" : body)}");
                await stream.WriteAsync(Encoding.ASCII.GetBytes(answer), _stopping.Token);
                if (hasBody) return;
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or SocketException)
        {
        }
    }
}
