using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace LoadBalancer.Testing;

/// <summary>How a connection ended, as its other side saw it.</summary>
public enum StreamEnd { Open, Fin, Reset }

/// <summary>A TCP or Unix connection in raw bytes, or what TLS on it carries; Latin-1 as text. Reads end with the token given.</summary>
public sealed class RawClient : IDisposable
{
    private readonly Socket _socket;
    private readonly List<byte> _pending = [];
    private SslStream? _tls;
    private byte[]? _buffer; // made by the first read: thousands of idle connections need none

    private RawClient(Socket socket) => _socket = socket;

    /// <summary>Connects, with <paramref name="from"/> from that address of the loopback: each of 127.0.0.0/8 is another client.</summary>
    public static async Task<RawClient> ConnectAsync(EndPoint endPoint, CancellationToken token, string? from = null)
    {
        if (endPoint is IPEndPoint { Address: var a } ip && (a.Equals(IPAddress.Any) || a.Equals(IPAddress.IPv6Any))) endPoint = new IPEndPoint(IPAddress.Loopback, ip.Port);
        var socket = endPoint is UnixDomainSocketEndPoint
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (from is not null) socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
        await socket.ConnectAsync(endPoint, token);
        return new RawClient(socket);
    }

    /// <summary>A full hand-shake, as a client that trusts anybody; from then on bytes are what is inside the encryption.</summary>
    /// <param name="name">The server asked for; empty for none.</param>
    /// <param name="token">Ends the wait.</param>
    /// <param name="certificate">Shown when the server asks for one.</param>
    public async Task StartTlsAsync(string name, CancellationToken token, X509Certificate2? certificate = null)
    {
        var tls = new SslStream(new NetworkStream(_socket, ownsSocket: false));
        SslClientAuthenticationOptions options = TlsClientOptions.TrustingAnybody(name);
        options.AllowTlsResume = false;
        if (certificate is not null) options.ClientCertificateContext = SslStreamCertificateContext.Create(certificate, null, offline: true);
        await tls.AuthenticateAsClientAsync(options, token);
        _tls = tls;
    }

    /// <summary>What the server has shown in the hand-shake; null without TLS.</summary>
    public X509Certificate2? ServerCertificate => (X509Certificate2?)_tls?.RemoteCertificate;

    /// <summary>The hand-shake as a server; from then on bytes are what is inside the encryption.</summary>
    public async Task AcceptTlsAsync(SslServerAuthenticationOptions options, CancellationToken token)
    {
        var tls = new SslStream(new NetworkStream(_socket, ownsSocket: false));
        await tls.AuthenticateAsServerAsync(options, token);
        _tls = tls;
    }

    /// <summary>What the hand-shake came to; null in plain.</summary>
    public SslStream? Tls => _tls;

    /// <summary>Ends our direction inside the encryption: close_notify.</summary>
    public Task ShutdownTlsAsync() => _tls!.ShutdownAsync();

    public static RawClient Accepted(Socket socket) => new(socket);

    public StreamEnd End { get; private set; }

    public EndPoint LocalEndPoint => _socket.LocalEndPoint!;

    public Task SendAsync(string text, CancellationToken token) => SendAsync(Encoding.Latin1.GetBytes(text), token);

    public async Task SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken token)
    {
        if (_tls is not null) await _tls.WriteAsync(bytes, token);
        else while (!bytes.IsEmpty) bytes = bytes[await _socket.SendAsync(bytes, token)..];
    }

    public void HalfClose() => _socket.Shutdown(SocketShutdown.Send);

    public void Reset()
    {
        _socket.LingerState = new LingerOption(true, 0);
        _socket.Dispose();
    }

    /// <summary>Reads until the text stands at the end of what was read; returns everything up to and with it.</summary>
    public async Task<string> ReadUntilAsync(string mark, CancellationToken token)
    {
        byte[] wanted = Encoding.Latin1.GetBytes(mark);
        for (int from = 0; ;)
        {
            int at = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_pending)[from..].IndexOf(wanted);
            if (at >= 0) return Take(from + at + wanted.Length);
            from = Math.Max(0, _pending.Count - wanted.Length);
            if (!await FillAsync(token)) throw new IOException($"ended ({End}) before \"{mark}\"; got: {Take(_pending.Count)}");
        }
    }

    public async Task<string> ReadAsync(int count, CancellationToken token)
    {
        while (_pending.Count < count)
            if (!await FillAsync(token)) throw new IOException($"ended ({End}) after {_pending.Count} of {count} bytes");
        return Take(count);
    }

    /// <summary>A line from the socket, and no byte behind it: what follows may be a hand-shake.</summary>
    public async Task<string> ReadLineAloneAsync(CancellationToken token)
    {
        byte[] one = new byte[1];
        string line = "";
        while (!line.EndsWith('\n') && await _socket.ReceiveAsync(one, token) > 0) line += (char)one[0];
        return line;
    }

    /// <summary>Everything until the end; <see cref="End"/> says which end it was.</summary>
    public async Task<string> ReadToEndAsync(CancellationToken token)
    {
        while (await FillAsync(token))
        {
        }
        return Take(_pending.Count);
    }

    /// <summary>One response: head, and body by its Content-Length or chunked framing (returned as sent).</summary>
    public async Task<string> ReadResponseAsync(CancellationToken token, bool headOnly = false)
    {
        string head = await ReadUntilAsync("\r\n\r\n", token);
        if (headOnly || head.StartsWith("HTTP/1.1 1", StringComparison.Ordinal) || head.StartsWith("HTTP/1.1 204", StringComparison.Ordinal) || head.StartsWith("HTTP/1.1 304", StringComparison.Ordinal)) return head;
        if (head.Contains("transfer-encoding: chunked", StringComparison.OrdinalIgnoreCase))
        {
            string body = "";
            while (true)
            {
                string size = await ReadUntilAsync("\r\n", token);
                int length = int.Parse(size.Trim(), System.Globalization.NumberStyles.HexNumber);
                if (length == 0) break;
                body += (await ReadAsync(length + 2, token))[..^2];
            }
            string trailer = "";
            for (string line; (line = await ReadUntilAsync("\r\n", token)) != "\r\n";) trailer += line;
            return head + body + (trailer.Length > 0 ? "\n" + trailer : "");
        }
        int at = head.IndexOf("content-length: ", StringComparison.OrdinalIgnoreCase);
        if (at < 0) return head + await ReadToEndAsync(token);
        string digits = head[(at + 16)..];
        return head + await ReadAsync(int.Parse(digits[..digits.IndexOf('\r', StringComparison.Ordinal)]), token);
    }

    private string Take(int count)
    {
        string text = Encoding.Latin1.GetString([.. _pending[..count]]);
        _pending.RemoveRange(0, count);
        return text;
    }

    private async Task<bool> FillAsync(CancellationToken token)
    {
        _buffer ??= new byte[16384];
        try
        {
            int read = _tls is not null ? await _tls.ReadAsync(_buffer, token) : await _socket.ReceiveAsync(_buffer, token);
            if (read == 0)
            {
                End = StreamEnd.Fin;
                return false;
            }
            _pending.AddRange(_buffer.AsSpan(0, read));
            return true;
        }
        catch (Exception e) when ((e as SocketException ?? e.InnerException as SocketException)?.SocketErrorCode is SocketError.ConnectionReset or SocketError.ConnectionAborted)
        {
            End = StreamEnd.Reset;
            return false;
        }
    }

    public void Dispose()
    {
        _tls?.Dispose();
        _socket.Dispose();
    }
}
