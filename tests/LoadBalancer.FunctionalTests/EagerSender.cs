using System.Net.Sockets;
using System.Text;

namespace LoadBalancer.FunctionalTests;

/// <summary>Sends a body of any length, which is nowhere stored, as fast as the other side takes it, and knows when it takes no more.</summary>
internal sealed class EagerSender
{
    private const int PieceBytes = 64 * 1024;

    private readonly Socket _socket;
    private readonly byte[] _piece, _end;
    private readonly long _length; // on the wire
    private long _sent;

    /// <param name="socket">Connected; made non-blocking.</param>
    /// <param name="bodyBytesMin">Rounded up to whole pieces: see <see cref="BodyBytes"/>.</param>
    /// <param name="chunked">One piece a chunk; otherwise the receiver knows the length.</param>
    internal EagerSender(Socket socket, long bodyBytesMin, bool chunked)
    {
        socket.Blocking = false;
        _socket = socket;
        long pieces = (bodyBytesMin + PieceBytes - 1) / PieceBytes;
        BodyBytes = pieces * PieceBytes;
        byte[] data = new byte[PieceBytes];
        data.AsSpan().Fill((byte)'x');
        _piece = chunked ? [.. Encoding.ASCII.GetBytes($"{PieceBytes:x}\r\n"), .. data, .. "\r\n"u8] : data;
        _end = chunked ? "0\r\n\r\n"u8.ToArray() : [];
        _length = pieces * _piece.Length + _end.Length;
        Framing = chunked ? "Transfer-Encoding: chunked" : $"Content-Length: {BodyBytes}";
    }

    /// <summary>Length of the body.</summary>
    internal long BodyBytes { get; }

    /// <summary>The field that announces the body.</summary>
    internal string Framing { get; }

    /// <summary>Bytes that the system took from us.</summary>
    internal long Sent => _sent;

    /// <summary>Sends until the socket would block. False when it would at once.</summary>
    internal bool SendSome()
    {
        long before = _sent;
        while (_sent < _length)
        {
            int sent = _socket.Send(Next.Span, SocketFlags.None, out SocketError error);
            if (error == SocketError.WouldBlock) break;
            if (error != SocketError.Success) throw new SocketException((int)error);
            _sent += sent;
        }
        return _sent > before;
    }

    /// <summary>Sends all that is left.</summary>
    internal async Task SendRestAsync(CancellationToken token)
    {
        while (_sent < _length) _sent += await _socket.SendAsync(Next, token);
    }

    private ReadOnlyMemory<byte> Next => _sent < _length - _end.Length ? _piece.AsMemory((int)(_sent % _piece.Length)) : _end.AsMemory((int)(_sent - (_length - _end.Length)));
}
