using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace LoadBalancer.Edge.Tests;

/// <summary>
/// Serves one connection after another on a thread of its own. GET is answered with a <see cref="LargeBody"/>, framed by length or (path /chunked) in
/// chunks; what else is sent is compared with one, and answered with what was found.
/// </summary>
internal sealed class LargeBodyOrigin : IDisposable
{
    private const int ChunkBytes = 300_000;

    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly long _length;

    internal LargeBodyOrigin(long length)
    {
        _length = length;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        Address = _listener.LocalEndPoint!.ToString()!;
        new Thread(Run) { IsBackground = true }.Start();
    }

    internal string Address { get; }

    /// <summary>What an upload is answered with when every byte of it was right.</summary>
    internal static string Verdict(long length) => $"{length} bytes, wrong at -1";

    private void Run()
    {
        while (true)
        {
            try
            {
                using var stream = new NetworkStream(_listener.Accept(), ownsSocket: true);
                Serve(stream);
            }
            catch (IOException) // the connection broke: the test says what that means
            {
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException) // disposed
            {
                return;
            }
        }
    }

    private void Serve(NetworkStream stream)
    {
        var input = new BufferedStream(stream, 256 * 1024);
        while (ReadHead(input) is { } head)
        {
            if (head.StartsWith("GET ", StringComparison.Ordinal)) Download(stream, head.StartsWith("GET /chunked ", StringComparison.Ordinal));
            else Upload(stream, input, head);
        }
    }

    private void Download(NetworkStream stream, bool chunked)
    {
        stream.Write(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\n{(chunked ? "Transfer-Encoding: chunked" : $"Content-Length: {_length}")}\r\n\r\n"));
        for (long at = 0; at < _length;)
        {
            ReadOnlyMemory<byte> part = LargeBody.From(at);
            part = part[..(int)Math.Min(chunked ? ChunkBytes : int.MaxValue, Math.Min(part.Length, _length - at))];
            if (chunked) stream.Write(Encoding.ASCII.GetBytes($"{part.Length:x}\r\n"));
            stream.Write(part.Span);
            if (chunked) stream.Write("\r\n"u8);
            at += part.Length;
        }
        if (chunked) stream.Write("0\r\n\r\n"u8);
    }

    private static void Upload(NetworkStream stream, BufferedStream input, string head)
    {
        var check = new LargeBodyCheck();
        byte[] buffer = new byte[256 * 1024];
        if (head.Contains("\r\nTransfer-Encoding: chunked\r\n", StringComparison.OrdinalIgnoreCase))
        {
            while (long.Parse(ReadLine(input)!, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture) is > 0 and var size)
            {
                Take(size);
                ReadLine(input);
            }
            ReadLine(input);
        }
        else
        {
            const string Name = "\r\nContent-Length: ";
            string rest = head[(head.IndexOf(Name, StringComparison.OrdinalIgnoreCase) + Name.Length)..];
            Take(long.Parse(rest[..rest.IndexOf('\r', StringComparison.Ordinal)], CultureInfo.InvariantCulture));
        }
        string verdict = $"{check.Length} bytes, wrong at {check.WrongAt}";
        stream.Write(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {verdict.Length}\r\n\r\n{verdict}"));

        void Take(long count)
        {
            while (count > 0)
            {
                int read = input.Read(buffer, 0, (int)Math.Min(buffer.Length, count));
                if (read == 0) throw new IOException("ended in the body");
                check.Add(buffer.AsSpan(0, read));
                count -= read;
            }
        }
    }

    private static string? ReadHead(BufferedStream input)
    {
        var head = new StringBuilder("\r\n");
        while (ReadLine(input) is { } line)
        {
            head.Append(line).Append("\r\n");
            if (line.Length == 0) return head.ToString(2, head.Length - 2);
        }
        return null;
    }

    private static string? ReadLine(BufferedStream input)
    {
        var line = new StringBuilder();
        while (input.ReadByte() is >= 0 and var b)
        {
            if (b == '\n') return line.ToString().TrimEnd('\r');
            line.Append((char)b);
        }
        return null;
    }

    public void Dispose() => _listener.Dispose();
}
