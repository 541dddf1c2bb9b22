using System.IO.Pipelines;
using System.Net.Sockets;
using System.Security.Cryptography;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Transport.Tests;

[CancelAfter(20_000)]
internal sealed class WriteTests(string transport) : TransportTests(transport)
{
    private const int Total = 64 * 1024 * 1024;

    [Test]
    [Category("Slow")]
    public async Task LargeEchoArrivesWhole()
    {
        using TransportHost host = await NewHost().ListenAsync();
        (Socket client, TransportConnection server) = await host.PairAsync(Token);
        using Socket _ = client;
        CancellationToken token = Token;
        Task echo = host.On(() => EchoAsync(server));
        byte[] block = RawSocket.RandomBytes(1_000_003, seed: 4);
        using var sentHash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var receivedHash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Task send = Task.Run(
            async () =>
            {
                for (int at = 0; at < Total; at += block.Length)
                {
                    ReadOnlyMemory<byte> part = block.AsMemory(0, Math.Min(block.Length, Total - at));
                    sentHash.AppendData(part.Span);
                    await client.SendAllAsync(part, token);
                }
                client.Shutdown(SocketShutdown.Send);
            },
            token);
        byte[] buffer = new byte[100_000];
        long received = 0;
        int leasedMax = 0;
        while (await client.ReceiveAsync(buffer.AsMemory(), token) is var count and > 0)
        {
            receivedHash.AppendData(buffer, 0, count);
            if (received >> 22 != (received + count) >> 22) leasedMax = Math.Max(leasedMax, await host.On(() => host.Loop.Slabs.Leased));
            received += count;
        }
        await send;
        await echo;
        Assert.That(received, Is.EqualTo(Total));
        Assert.That(receivedHash.GetHashAndReset(), Is.EqualTo(sentHash.GetHashAndReset()));
        Assert.That(leasedMax, Is.LessThanOrEqualTo(3));
        Assert.That(await host.On(() => host.Loop.Slabs.Leased), Is.Zero);
    }

    [Test]
    [Category("Slow")]
    public async Task ASlowReaderHoldsTheWriterBackWithoutMemory()
    {
        using TransportHost host = await NewHost().ListenAsync();
        (Socket client, TransportConnection server) = await host.PairAsync(Token);
        using Socket _ = client;
        byte[] block = RawSocket.RandomBytes(256 * 1024, seed: 5);
        var stalled = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        Task writing = host.On(async () =>
        {
            for (int at = 0; at < Total; at += block.Length)
            {
                ValueTask<FlushResult> write = server.Output.WriteAsync(block);
                if (!write.IsCompleted) stalled.TrySetResult(at);
                Assert.That((await write).IsCompleted, Is.False);
            }
            server.Output.Complete();
        });
        // Nobody reads yet: the writer must come to a halt well before the end.
        Assert.That(await stalled.Task, Is.LessThan(Total));
        Assert.That(await host.On(() => host.Loop.Slabs.Leased), Is.LessThanOrEqualTo(2));
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var expected = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[10_000];
        long received = 0;
        int leasedMax = 0;
        while (await client.ReceiveAsync(buffer.AsMemory(), Token) is var count and > 0)
        {
            hash.AppendData(buffer, 0, count);
            if (received >> 22 != (received + count) >> 22) leasedMax = Math.Max(leasedMax, await host.On(() => host.Loop.Slabs.Leased));
            received += count;
        }
        await writing;
        for (int at = 0; at < Total; at += block.Length) expected.AppendData(block);
        Assert.That(received, Is.EqualTo(Total));
        Assert.That(hash.GetHashAndReset(), Is.EqualTo(expected.GetHashAndReset()));
        Assert.That(leasedMax, Is.LessThanOrEqualTo(2));
    }

    [TestCase(0, 5, 0)]
    [TestCase(10, 5, 2)]
    [TestCase(10, 0, 2)]
    [TestCase(10, 100_000, 2)]
    [TestCase(0, 100_000, 2)]
    [TestCase(10, 100_000, 0)]
    [TestCase(20_000, 4096, 5000)]
    [TestCase(100_000, 8_000_000, 4_000_000)]
    public async Task CollectedBytesThenBodyThenTailArriveInOrder(int collected, int bodyLength, int tailLength)
    {
        using TransportHost host = await NewHost().ListenAsync();
        (Socket client, TransportConnection server) = await host.PairAsync(Token);
        using Socket _ = client;
        byte[] head = RawSocket.RandomBytes(collected, seed: 6), body = RawSocket.RandomBytes(bodyLength, seed: 7), tail = RawSocket.RandomBytes(tailLength, seed: 8);
        Task writing = host.On(async () =>
        {
            for (int turn = 0; turn < 2; turn++)
            {
                for (int at = 0; at < head.Length; at += 1000)
                {
                    ReadOnlySpan<byte> part = head.AsSpan(at, Math.Min(1000, head.Length - at));
                    part.CopyTo(server.Output.GetSpan(part.Length));
                    server.Output.Advance(part.Length);
                }
                Assert.That(server.Output.UnflushedBytes, Is.EqualTo(head.Length));
                FlushResult flush = await server.Output.WriteAsync(body, tail);
                Assert.That(flush.IsCompleted, Is.False);
                Assert.That(server.Output.UnflushedBytes, Is.Zero);
            }
            server.Output.Complete();
        });
        byte[] received = await client.ReceiveToEndAsync(Token);
        await writing;
        byte[] once = [.. head, .. body, .. tail];
        Assert.That(received, Has.Length.EqualTo(2 * once.Length));
        Assert.That(received.AsSpan(0, once.Length).SequenceEqual(once));
        Assert.That(received.AsSpan(once.Length).SequenceEqual(once));
        Assert.That(await host.On(() => host.Loop.Slabs.Leased), Is.Zero);
    }

    [Test]
    public async Task ClientEndsItsDirection_ServerStillAnswers()
    {
        using TransportHost host = await NewHost().ListenAsync();
        (Socket client, TransportConnection server) = await host.PairAsync(Token);
        using Socket _ = client;
        client.Shutdown(SocketShutdown.Send);
        await host.On(async () =>
        {
            ReadResult read = await server.Input.ReadAsync();
            Assert.That(read.IsCompleted);
            Assert.That((await server.Output.WriteAsync("answer"u8.ToArray())).IsCompleted, Is.False);
            server.Close();
        });
        Assert.That(await client.ReceiveToEndAsync(Token), Is.EqualTo("answer"u8.ToArray()));
    }

    [Test]
    public async Task OutputComplete_ClientSeesTheEndAndCanStillSend()
    {
        using TransportHost host = await NewHost().ListenAsync();
        (Socket client, TransportConnection server) = await host.PairAsync(Token);
        using Socket _ = client;
        await host.On(async () =>
        {
            await server.Output.WriteAsync("bye"u8.ToArray());
            server.Output.Complete();
        });
        Assert.That(await client.ReceiveToEndAsync(Token), Is.EqualTo("bye"u8.ToArray()));
        await client.SendAllAsync("more"u8.ToArray(), Token);
        Assert.That(await host.On(() => TakeAsync(server, 4)), Is.EqualTo("more"u8.ToArray()));
    }

    [Test]
    public async Task OutputComplete_WithUnflushedBytes_DropsThem()
    {
        using TransportHost host = await NewHost().ListenAsync();
        (Socket client, TransportConnection server) = await host.PairAsync(Token);
        using Socket _ = client;
        await host.On(() =>
        {
            "never sent"u8.CopyTo(server.Output.GetSpan(10));
            server.Output.Advance(10);
            server.Output.Complete();
        });
        Assert.That(await client.ReceiveToEndAsync(Token), Is.Empty);
        Assert.That(await host.On(() => host.Loop.Slabs.Leased), Is.Zero);
    }

    [Test]
    public async Task CloseWhileWatched_IsOrderly()
    {
        using TransportHost host = NewHost();
        host.Observer = new EventRecorder();
        await host.ListenAsync();
        (Socket client, TransportConnection server) = await host.PairAsync(Token);
        using Socket _ = client;
        await host.On(async () => await server.Output.WriteAsync("whole"u8.ToArray()));
        await host.On(server.Close); // a turn later: the transport watches by now
        Assert.That(await client.ReceiveToEndAsync(Token), Is.EqualTo("whole"u8.ToArray()));
    }

    [Test]
    public async Task PeerResetEndsAPendingFlushWithFaultReset()
    {
        using TransportHost host = await NewHost().ListenAsync();
        (Socket client, TransportConnection server) = await host.PairAsync(Token);
        Task<FlushResult> writing = await StallAsync(host, server);
        client.Reset();
        FlushResult flush = await writing;
        Assert.That(flush.IsCompleted);
        Assert.That(flush.IsCanceled, Is.False);
        await host.On(async () =>
        {
            Assert.That(server.Fault, Is.EqualTo(TransportFault.Reset));
            Assert.That((await server.Input.ReadAsync()).IsCompleted);
            server.Close();
        });
    }

    [Test]
    public async Task CancelPendingFlush_EndsItWithIsCanceled()
    {
        using TransportHost host = await NewHost().ListenAsync();
        (Socket client, TransportConnection server) = await host.PairAsync(Token);
        using Socket _ = client;
        Task<FlushResult> writing = await StallAsync(host, server);
        await host.On(server.Output.CancelPendingFlush);
        Assert.That((await writing).IsCanceled);
        await host.On(() =>
        {
            server.Abort();
            server.Close();
        });
    }

    /// <summary>A write that waits for room, as nobody reads.</summary>
    internal static async Task<Task<FlushResult>> StallAsync(TransportHost host, TransportConnection connection)
    {
        byte[] block = new byte[1024 * 1024];
        var stalled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<FlushResult> writing = host.On(async () =>
        {
            while (true)
            {
                ValueTask<FlushResult> write = connection.Output.WriteAsync(block);
                if (!write.IsCompleted) stalled.TrySetResult();
                FlushResult result = await write;
                if (result.IsCompleted || result.IsCanceled) return result;
            }
        });
        await Task.WhenAny(stalled.Task, writing);
        return writing;
    }
}
