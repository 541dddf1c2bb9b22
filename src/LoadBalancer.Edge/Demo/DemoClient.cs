using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace LoadBalancer.Edge.Demo;

/// <summary>Sends GET requests over one connection, one after the other, by https where a certificate is to be trusted. Knows only answers with Content-Length, which is what the demo's destinations send.</summary>
internal static class DemoClient
{
    internal static async Task SendAsync(EndPoint target, string? trusted, int requests, CancellationToken cancellationToken)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(target, cancellationToken);
        await using Stream stream = trusted is null ? new NetworkStream(socket) : await SecureAsync(new NetworkStream(socket), trusted, cancellationToken);
        byte[] request = Encoding.ASCII.GetBytes($"GET / HTTP/1.1\r\nHost: {target}\r\nUser-Agent: lb-demo\r\n\r\n");
        byte[] buffer = new byte[16 * 1024];
        int count = 0;
        for (int i = 0; i < requests; i++)
        {
            await stream.WriteAsync(request, cancellationToken);
            int length;
            while ((length = AnswerLength(buffer.AsSpan(0, count))) < 0 || length > count)
            {
                int read = count == buffer.Length ? 0 : await stream.ReadAsync(buffer.AsMemory(count), cancellationToken);
                if (read == 0) throw new IOException("the balancer closed the demo's connection in the middle of an answer");
                count += read;
            }
            count -= length;
            buffer.AsSpan(length, count).CopyTo(buffer);
        }
    }

    private static async Task<Stream> SecureAsync(NetworkStream network, string trusted, CancellationToken cancellationToken)
    {
        var secure = new SslStream(network);
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(trusted);
        await secure.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost", CertificateChainPolicy = policy }, cancellationToken);
        return secure;
    }

    // Head and body together; -1 while the head is not complete.
    private static int AnswerLength(ReadOnlySpan<byte> bytes)
    {
        int end = bytes.IndexOf("\r\n\r\n"u8);
        if (end < 0) return -1;
        const string Name = "\r\ncontent-length:";
        string head = Encoding.Latin1.GetString(bytes[..(end + 2)]);
        int at = head.IndexOf(Name, StringComparison.OrdinalIgnoreCase);
        if (at < 0) return end + 4;
        int from = at + Name.Length;
        return end + 4 + int.Parse(head.AsSpan(from, head.IndexOf('\r', from) - from).Trim(), NumberStyles.None, CultureInfo.InvariantCulture);
    }
}
