using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace LoadBalancer.Testing;

/// <summary>
/// A keep-alive HTTP/1.1 server whose answer follows from the path: /bytes/N (that many bytes), /chunked/N, /close/N (delimited by the
/// end), /status/N, /echo (the request's body), /id (the X-Id field as body). An X-Id field comes back as a field too.
/// </summary>
public sealed class EchoOrigin : IAsyncDisposable
{
    private readonly Socket _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;
    private readonly double _abortShare;
    private readonly Random _random;
    private int _connections;
    private long _requests, _aborts;

    /// <summary>Starts it.</summary>
    /// <param name="endPoint">Null for a free port of 127.0.0.1.</param>
    /// <param name="abortShare">Share of requests that end in a reset: unanswered, in the head or in the body.</param>
    /// <param name="seed">Of the choice of those.</param>
    public EchoOrigin(EndPoint? endPoint = null, double abortShare = 0, int seed = 1)
    {
        _abortShare = abortShare;
        _random = new Random(seed);
        endPoint ??= new IPEndPoint(IPAddress.Loopback, 0);
        _listener = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        _listener.Bind(endPoint);
        _listener.Listen(4096);
        EndPoint = _listener.LocalEndPoint!;
        _accepting = AcceptAsync();
    }

    public EndPoint EndPoint { get; }

    public string Address => EndPoint is UnixDomainSocketEndPoint ? $"unix:{EndPoint}" : EndPoint.ToString()!;

    public int Connections => Volatile.Read(ref _connections);

    public long Requests => Interlocked.Read(ref _requests);

    public long Aborts => Interlocked.Read(ref _aborts);

    /// <summary>The bytes of /bytes/N and its like: every place has its own letter, so that a shift shows.</summary>
    public static byte[] Pattern(int length)
    {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) bytes[i] = (byte)('a' + (i * 31 + (i >> 8)) % 26);
        return bytes;
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            try
            {
                Socket socket = await _listener.AcceptAsync(_stop.Token);
                Interlocked.Increment(ref _connections);
                _ = ServeAsync(socket);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        using (socket)
        {
            try
            {
                if (socket.AddressFamily != AddressFamily.Unix) socket.NoDelay = true;
                var reader = new Reader(socket, _stop.Token);
                while (await reader.ReadHeadAsync() is { } head)
                {
                    byte[] requestBody = await reader.ReadBodyAsync(head);
                    Interlocked.Increment(ref _requests);
                    if (!await AnswerAsync(socket, head, requestBody)) return;
                }
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // The other side, or the test, has ended it.
            }
        }
    }

    private async Task<bool> AnswerAsync(Socket socket, string head, byte[] requestBody)
    {
        string[] line = head[..head.IndexOf('\r', StringComparison.Ordinal)].Split(' ');
        string[] path = line[1].Split('?')[0].Split('/');
        int number = path.Length > 2 && int.TryParse(path[2], NumberStyles.None, CultureInfo.InvariantCulture, out int n) ? n : 0;
        string? id = Field(head, "X-Id");
        string fields = id is null ? "" : $"X-Id: {id}\r\n";
        bool isHead = line[0] == "HEAD", closes = false;
        byte[] body;
        switch (path[1])
        {
            case "echo":
                body = requestBody;
                fields += $"Content-Length: {body.Length}\r\n";
                break;
            case "id":
                body = Encoding.Latin1.GetBytes(id ?? "");
                fields += $"Content-Length: {body.Length}\r\n";
                break;
            case "chunked":
                body = Chunked(Pattern(number));
                fields += "Transfer-Encoding: chunked\r\n";
                break;
            case "close":
                body = Pattern(number);
                fields += "Connection: close\r\n";
                closes = true;
                break;
            case "status":
                body = [];
                if (number is not (204 or 304)) fields += "Content-Length: 0\r\n";
                break;
            default:
                body = Pattern(number);
                fields += $"Content-Length: {body.Length}\r\n";
                break;
        }
        int status = path[1] == "status" ? number : 200;
        byte[] answer = [.. Encoding.Latin1.GetBytes($"HTTP/1.1 {status} Status\r\n{fields}\r\n"), .. isHead ? [] : body];
        if (_abortShare > 0 && Draw(answer.Length) is { } sent)
        {
            Interlocked.Increment(ref _aborts);
            await SendAsync(socket, answer.AsMemory(0, sent));
            socket.LingerState = new LingerOption(true, 0);
            return false;
        }
        await SendAsync(socket, answer);
        return !closes;
    }

    // How much of an answer is sent before the reset; null for all of it.
    private int? Draw(int length)
    {
        lock (_random) return _random.NextDouble() >= _abortShare ? null : _random.Next(3) == 0 ? 0 : _random.Next(length);
    }

    private async Task SendAsync(Socket socket, ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty) bytes = bytes[await socket.SendAsync(bytes, _stop.Token)..];
    }

    private static byte[] Chunked(byte[] body)
    {
        var chunked = new MemoryStream();
        for (int at = 0; at < body.Length; at += 1000)
        {
            int length = Math.Min(1000, body.Length - at);
            chunked.Write(Encoding.ASCII.GetBytes($"{length:x}\r\n"));
            chunked.Write(body, at, length);
            chunked.Write("\r\n"u8);
        }
        chunked.Write("0\r\n\r\n"u8);
        return chunked.ToArray();
    }

    private static string? Field(string head, string name)
    {
        int at = head.IndexOf($"\r\n{name}: ", StringComparison.OrdinalIgnoreCase);
        if (at < 0) return null;
        at += name.Length + 4;
        return head[at..head.IndexOf('\r', at)];
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
    }

    private sealed class Reader(Socket socket, CancellationToken token)
    {
        private byte[] _buffer = new byte[4096];
        private int _from, _to;

        // Null at the end of the connection between two requests.
        internal async Task<string?> ReadHeadAsync()
        {
            int end;
            while ((end = _buffer.AsSpan(_from, _to - _from).IndexOf("\r\n\r\n"u8)) < 0)
            {
                if (await FillAsync()) continue;
                return _from == _to ? null : throw new IOException("ended inside a request head");
            }
            string head = Encoding.Latin1.GetString(_buffer, _from, end + 4);
            _from += end + 4;
            return head;
        }

        internal async Task<byte[]> ReadBodyAsync(string head)
        {
            if (Field(head, "Content-Length") is { } length) return await TakeAsync(int.Parse(length, CultureInfo.InvariantCulture));
            if (Field(head, "Transfer-Encoding") is null) return [];
            var body = new MemoryStream();
            while (true)
            {
                byte[] size = await TakeLineAsync();
                if (!Utf8Parser.TryParse(size, out int bytes, out _, 'x')) throw new IOException("no chunk size");
                if (bytes == 0) break;
                body.Write(await TakeAsync(bytes));
                await TakeAsync(2);
            }
            while ((await TakeLineAsync()).Length > 0)
            {
            }
            return body.ToArray();
        }

        private async Task<byte[]> TakeLineAsync()
        {
            int end;
            while ((end = _buffer.AsSpan(_from, _to - _from).IndexOf("\r\n"u8)) < 0)
            {
                if (!await FillAsync()) throw new IOException("ended inside a line");
            }
            byte[] line = _buffer.AsSpan(_from, end).ToArray();
            _from += end + 2;
            return line;
        }

        private async Task<byte[]> TakeAsync(int count)
        {
            while (_to - _from < count)
            {
                if (!await FillAsync()) throw new IOException("ended inside a body");
            }
            byte[] bytes = _buffer.AsSpan(_from, count).ToArray();
            _from += count;
            return bytes;
        }

        private async Task<bool> FillAsync()
        {
            if (_from == _to) _from = _to = 0;
            if (_to == _buffer.Length)
            {
                byte[] larger = _from > 0 ? _buffer : new byte[_buffer.Length * 2];
                Buffer.BlockCopy(_buffer, _from, larger, 0, _to - _from);
                (_buffer, _to, _from) = (larger, _to - _from, 0);
            }
            int read = await socket.ReceiveAsync(_buffer.AsMemory(_to), token);
            _to += read;
            return read > 0;
        }
    }
}
