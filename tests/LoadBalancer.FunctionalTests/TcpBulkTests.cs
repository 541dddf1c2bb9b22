using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Transport.Epoll;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>Much, both ways at once, through a TCP listener; and receivers that do not keep up.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(120_000)]
public sealed class TcpBulkTests(TransportKind transport) : TcpFixtureTests(transport)
{
    private const int Block = 1 << 20;

    // Writes of changing sizes: the relay goes from copies to pipes and back.
    [Test]
    public async Task AHundredMegabytesBothWaysArriveAsTheyWere()
    {
        using Socket listener = Listen();
        await using ProxyFixture proxy = await StartTcpAsync([listener.LocalEndPoint!.ToString()!]);
        using Socket client = await ConnectAsync(proxy);
        using Socket server = await listener.AcceptAsync(Token);
        Task<byte[]> up = SendAsync(client, seed: 1, 100), down = SendAsync(server, seed: 2, 100);
        Task<(byte[], long)> atServer = ReceiveAsync(server), atClient = ReceiveAsync(client);
        Assert.That((await atServer).Item1, Is.EqualTo(await up));
        Assert.That((await atClient).Item1, Is.EqualTo(await down));
        Completion record = await proxy.Completions.NextAsync(Token);
        Assert.That((record.RequestBytes, record.ResponseBytes), Is.EqualTo(((await atServer).Item2, (await atClient).Item2)));
        if (proxy.Server.Contexts[0].Loop is EpollLoop loop) Assert.That((loop.Pipes.Used, loop.Pipes.Kept > 0), Is.EqualTo((0, true)), "went through pipes, which were given back empty");
    }

    [Test]
    public async Task AReceiverThatDoesNotReadHoldsTheSenderUpAndNothingIsLost()
    {
        using Socket listener = Listen();
        await using ProxyFixture proxy = await StartTcpAsync([listener.LocalEndPoint!.ToString()!]);
        using Socket client = await ConnectAsync(proxy);
        using Socket server = await listener.AcceptAsync(Token);
        Task<byte[]> sending = SendAsync(client, seed: 3, 64);
        // Held up once the kernel's buffers are full: no more is taken over several turns of the loop.
        for (int still = 0, before = -1; still < 50; still++)
        {
            await proxy.TurnAsync(Token);
            int sent = Volatile.Read(ref _sent);
            if (sent != before) still = 0;
            before = sent;
        }
        Assert.That(sending.IsCompleted, Is.False);
        Assert.That(proxy.Server.Contexts[0].Loop.Slabs.Leased, Is.LessThanOrEqualTo(2), "one a direction");
        Task<(byte[] Hash, long)> receiving = ReceiveAsync(server);
        Assert.That((await receiving).Hash, Is.EqualTo(await sending));
    }

    private int _sent;

    private static Socket Listen()
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        return listener;
    }

    private static async Task<Socket> ConnectAsync(ProxyFixture proxy)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(proxy.EndPoint, Token);
        return socket;
    }

    private async Task<byte[]> SendAsync(Socket socket, int seed, int blocks)
    {
        var random = new Random(seed);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] block = new byte[Block];
        for (int i = 0; i < blocks; i++)
        {
            random.NextBytes(block);
            hash.AppendData(block);
            int piece = i % 10 == 9 ? 1000 : i % 3 == 0 ? Block : 50_000;
            for (int at = 0; at < Block; at += piece)
            {
                ReadOnlyMemory<byte> rest = block.AsMemory(at, Math.Min(piece, Block - at));
                while (!rest.IsEmpty)
                {
                    int sent = await socket.SendAsync(rest, Token);
                    rest = rest[sent..];
                    Interlocked.Add(ref _sent, sent);
                }
            }
        }
        socket.Shutdown(SocketShutdown.Send);
        return hash.GetHashAndReset();
    }

    private static async Task<(byte[] Hash, long Length)> ReceiveAsync(Socket socket)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[Block];
        long length = 0;
        for (int received; (received = await socket.ReceiveAsync(buffer, Token)) > 0; length += received) hash.AppendData(buffer, 0, received);
        return (hash.GetHashAndReset(), length);
    }
}
