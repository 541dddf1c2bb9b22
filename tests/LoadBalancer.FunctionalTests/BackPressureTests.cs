using System.Net;
using System.Net.Sockets;
using System.Text;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>A side that sends without end to one that does not read: it is stopped after a few buffers, and goes on when the other reads.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
[CancelAfter(60_000)]
public sealed class BackPressureTests(TransportKind transport) : IDisposable
{
    private const long EndlessBytes = 10L * 1024 * 1024 * 1024;
    private const long ReadableBytes = 128L * 1024 * 1024;
    // The kernel's share, which we do not set: at the most tcp_rmem and tcp_wmem on each of our two sockets (32 + 4 MiB where they are largest).
    private const long TakenBytesMax = 64L * 1024 * 1024;
    private const int SlabsMax = 6; // a read buffer a side, collected bytes, a piece being sent; two to spare
    private const int OwnSocketBytes = 64 * 1024;

    private readonly Socket _listener = Listen();

    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SkipWhereUnsupported() => Transports.Require(transport);

    public void Dispose() => _listener.Dispose();

    private static Socket Listen()
    {
        // Accepted sockets inherit the sizes.
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = OwnSocketBytes, SendBufferSize = OwnSocketBytes };
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        return listener;
    }

    [Test]
    public async Task ADownloadWaitsForItsReaderAndThenCompletes([Values] bool chunked)
    {
        await using ProxyFixture proxy = await StartAsync();
        (Socket client, Socket origin, EagerSender sender) = await DownloadAsync(proxy, ReadableBytes, chunked);
        await AssertStopsAsync(proxy, sender);
        Task sending = sender.SendRestAsync(Token);
        long received = await ReadUntilAsync(client, chunked ? "\r\n0\r\n\r\n"u8.ToArray() : null, sender.BodyBytes);
        await sending;
        Assert.That(received, Is.GreaterThanOrEqualTo(sender.BodyBytes)); // a head, perhaps chunk sizes
        client.Dispose();
        Completion completion = await proxy.Completions.NextAsync(Token);
        Assert.That((completion.Reason, completion.ResponseBytes), Is.EqualTo((EndReason.Completed, sender.BodyBytes)));
        origin.Dispose();
    }

    [Test]
    public async Task AnUploadWaitsForItsReaderAndThenCompletes([Values] bool chunked)
    {
        await using ProxyFixture proxy = await StartAsync();
        (Socket client, Socket origin, EagerSender sender) = await UploadAsync(proxy, ReadableBytes, chunked);
        await AssertStopsAsync(proxy, sender);
        Task sending = sender.SendRestAsync(Token);
        await ReadUntilAsync(origin, chunked ? "\r\n0\r\n\r\n"u8.ToArray() : null, sender.BodyBytes);
        await sending;
        await origin.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"u8.ToArray(), Token);
        await ReadUntilAsync(client, "\r\n\r\n"u8.ToArray(), 0);
        Completion completion = await proxy.Completions.NextAsync(Token);
        Assert.That((completion.Reason, completion.RequestBytes), Is.EqualTo((EndReason.Completed, sender.BodyBytes)));
        client.Dispose();
        origin.Dispose();
    }

    [Test]
    public async Task ADownloadWithoutEndStopsWithItsReader([Values] bool chunked)
    {
        await using ProxyFixture proxy = await StartAsync();
        (Socket client, Socket origin, EagerSender sender) = await DownloadAsync(proxy, EndlessBytes, chunked);
        await AssertStopsAsync(proxy, sender);
        Task sending = sender.SendRestAsync(Token);
        await ReadUntilAsync(client, null, ReadableBytes);
        Reset(client);
        SocketException? e = Assert.ThrowsAsync<SocketException>(() => sending);
        Assert.That(e!.SocketErrorCode, Is.AnyOf(SocketError.ConnectionReset, SocketError.Shutdown)); // ECONNRESET, EPIPE
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.ClientAborted));
        origin.Dispose();
    }

    [Test]
    public async Task AnUploadWithoutEndStopsWithItsReader([Values] bool chunked)
    {
        await using ProxyFixture proxy = await StartAsync();
        (Socket client, Socket origin, EagerSender sender) = await UploadAsync(proxy, EndlessBytes, chunked);
        await AssertStopsAsync(proxy, sender);
        Task sending = sender.SendRestAsync(Token);
        await ReadUntilAsync(origin, null, ReadableBytes);
        Reset(origin);
        SocketException? e = Assert.ThrowsAsync<SocketException>(() => sending);
        Assert.That(e!.SocketErrorCode, Is.AnyOf(SocketError.ConnectionReset, SocketError.Shutdown));
        Assert.That((await proxy.Completions.NextAsync(Token)).Reason, Is.EqualTo(EndReason.UpstreamClosed));
        client.Dispose();
    }

    private async Task<ProxyFixture> StartAsync()
    {
        ProxyConfig config = ProxyFixture.Config(transport, _listener.LocalEndPoint!.ToString()!);
        return await ProxyFixture.StartAsync(config with
        {
            Routes = new Dictionary<string, RouteConfig>(config.Routes) { ["turn"] = new() { Path = "/turn", Respond = new() } },
        });
    }

    private async Task<(Socket Client, Socket Origin, EagerSender Sender)> DownloadAsync(ProxyFixture proxy, long bytes, bool chunked)
    {
        Socket client = await ConnectAsync(proxy);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n"u8.ToArray(), Token);
        Socket origin = await _listener.AcceptAsync(Token);
        await ReadUntilAsync(origin, "\r\n\r\n"u8.ToArray(), 0);
        var sender = new EagerSender(origin, bytes, chunked);
        await origin.SendAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\n{sender.Framing}\r\n\r\n"), Token);
        return (client, origin, sender);
    }

    private async Task<(Socket Client, Socket Origin, EagerSender Sender)> UploadAsync(ProxyFixture proxy, long bytes, bool chunked)
    {
        Socket client = await ConnectAsync(proxy);
        var sender = new EagerSender(client, bytes, chunked);
        await client.SendAsync(Encoding.ASCII.GetBytes($"POST / HTTP/1.1\r\nHost: h\r\n{sender.Framing}\r\n\r\n"), Token);
        return (client, await _listener.AcceptAsync(Token), sender);
    }

    private static async Task<Socket> ConnectAsync(ProxyFixture proxy)
    {
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveBufferSize = OwnSocketBytes, SendBufferSize = OwnSocketBytes };
        await client.ConnectAsync(proxy.EndPoint, Token);
        return client;
    }

    /// <summary>
    /// Sends until the proxy takes no more, and asserts how much that was. A proxy that buffered would take more whenever its loop runs: so the loop
    /// is made to run again and again, by requests on another connection, until it has taken nothing for many of them.
    /// </summary>
    private static async Task AssertStopsAsync(ProxyFixture proxy, EagerSender sender)
    {
        using RawClient other = await proxy.ConnectAsync(Token);
        for (int idleTurns = 0; idleTurns < 200; idleTurns++)
        {
            if (sender.SendSome()) idleTurns = 0;
            Assert.That(sender.Sent, Is.LessThan(TakenBytesMax));
            await other.SendAsync("GET /turn HTTP/1.1\r\nHost: h\r\n\r\n", Token);
            await other.ReadResponseAsync(Token);
            await proxy.Completions.NextAsync(Token);
        }
        int slabs = await proxy.Server.Contexts[0].LeasedSlabsAsync(Token);
        TestContext.Out.WriteLine($"{sender.Sent} bytes taken, {slabs} slabs leased");
        Assert.That(slabs, Is.LessThanOrEqualTo(SlabsMax));
    }

    /// <summary>Reads and forgets, at least so many bytes and until they end with a mark where one is given.</summary>
    private static async Task<long> ReadUntilAsync(Socket socket, byte[]? mark, long bytesMin)
    {
        byte[] buffer = new byte[256 * 1024], tail = [];
        for (long total = 0; ;)
        {
            int read = await socket.ReceiveAsync(buffer, Token);
            if (read == 0) throw new EndOfStreamException($"ended after {total} bytes");
            total += read;
            byte[] end = [.. tail, .. buffer.AsSpan(Math.Max(0, read - 16), Math.Min(read, 16))];
            tail = end[Math.Max(0, end.Length - 16)..];
            if (total >= bytesMin && (mark is null || tail.AsSpan().EndsWith(mark))) return total;
        }
    }

    private static void Reset(Socket socket)
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Dispose();
    }
}
