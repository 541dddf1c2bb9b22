using System.Net;
using System.Net.Sockets;
using LoadBalancer.Testing;

namespace LoadBalancer.FunctionalTests;

internal static class Origins
{
    internal static ScriptedOrigin EchoingBody() => new(async (c, _, t) =>
    {
        while (true)
        {
            string head = await c.ReadUntilAsync("\r\n\r\n", t);
            string digits = head[(head.IndexOf("Content-Length: ", StringComparison.Ordinal) + 16)..];
            string body = await c.ReadAsync(int.Parse(digits[..digits.IndexOf('\r', StringComparison.Ordinal)]), t);
            await c.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n\r\n{body}", t);
        }
    });

    internal static string Pattern(int length) => string.Create(length, 0, (span, _) =>
    {
        for (int i = 0; i < span.Length; i++) span[i] = (char)('a' + (i * 31 + (i >> 8)) % 26);
    });

    /// <summary>An address on which nobody listens.</summary>
    internal static string ClosedAddress()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket.LocalEndPoint!.ToString()!;
    }
}
