using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Http;

namespace LoadBalancer.Admin;

/// <summary>Asks an admin listener, one request on a connection. For the command line, which needs no more of HTTP than this.</summary>
internal sealed class AdminClient(EndPoint endPoint, string? token)
{
    private const int AnswerBytesMax = 64 * 1024 * 1024;

    /// <summary>The listener at an address as in the configuration; false, with the rest of a sentence, when it is none.</summary>
    internal static bool TryCreate(string address, string? token, out AdminClient? client, out string? error)
    {
        client = AddressParser.TryParseListener(address, out EndPoint? endPoint, out error) ? new AdminClient(endPoint!, token) : null;
        return client is not null;
    }

    /// <summary>The status and the body of the answer.</summary>
    /// <exception cref="SocketException">Nobody listens there.</exception>
    /// <exception cref="IOException">The answer is none.</exception>
    internal async Task<(int Status, byte[] Body)> SendAsync(string method, string path, string? body, CancellationToken cancellationToken)
    {
        using var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, endPoint is UnixDomainSocketEndPoint ? ProtocolType.Unspecified : ProtocolType.Tcp);
        await socket.ConnectAsync(endPoint, cancellationToken).ConfigureAwait(false);
        string authorization = token is null ? "" : $"Authorization: Bearer {token}\r\n";
        string length = body is null ? "" : string.Create(CultureInfo.InvariantCulture, $"Content-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n");
        ReadOnlyMemory<byte> request = Encoding.UTF8.GetBytes($"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{authorization}{length}\r\n{body}");
        while (!request.IsEmpty) request = request[await socket.SendAsync(request, cancellationToken).ConfigureAwait(false)..];

        var answer = new ArrayBufferWriter<byte>(16 * 1024);
        for (int received; (received = await socket.ReceiveAsync(answer.GetMemory(), cancellationToken).ConfigureAwait(false)) > 0;)
        {
            answer.Advance(received);
            if (answer.WrittenCount > AnswerBytesMax) throw new IOException("the answer is too long");
        }
        return Read(answer.WrittenSpan, method);
    }

    private static (int Status, byte[] Body) Read(ReadOnlySpan<byte> answer, string method)
    {
        var head = new ResponseHead();
        ParseStatus status = head.Parse(answer, HeadLimits.Default, method == "GET" ? RequestMethod.Get : RequestMethod.Other);
        if (status != ParseStatus.Complete || head.Framing == MessageFraming.Chunked) throw new IOException("what answers is no admin listener");
        ReadOnlySpan<byte> body = answer[head.Length..];
        if (head.ContentLength >= 0 && head.ContentLength != body.Length) throw new IOException("the answer broke off");
        return (head.Status, body.ToArray());
    }
}
