using System.Net.Sockets;

namespace LoadBalancer.Transport.Tests;

/// <summary>The test's own end of a connection.</summary>
internal static class RawSocket
{
    internal static async Task SendAllAsync(this Socket socket, ReadOnlyMemory<byte> bytes, CancellationToken token)
    {
        while (!bytes.IsEmpty) bytes = bytes[await socket.SendAsync(bytes, token)..];
    }

    internal static async Task<byte[]> ReceiveExactlyAsync(this Socket socket, int count, CancellationToken token)
    {
        byte[] bytes = new byte[count];
        int at = 0;
        while (at < count)
        {
            int received = await socket.ReceiveAsync(bytes.AsMemory(at), token);
            if (received == 0) throw new EndOfStreamException($"end of stream after {at} of {count} bytes");
            at += received;
        }
        return bytes;
    }

    internal static async Task<byte[]> ReceiveToEndAsync(this Socket socket, CancellationToken token)
    {
        using var all = new MemoryStream();
        byte[] buffer = new byte[64 * 1024];
        while (await socket.ReceiveAsync(buffer.AsMemory(), token) is var received and > 0) all.Write(buffer, 0, received);
        return all.ToArray();
    }

    /// <summary>Closes with a reset.</summary>
    internal static void Reset(this Socket socket)
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Dispose();
    }

    internal static byte[] RandomBytes(int count, int seed)
    {
        byte[] bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
