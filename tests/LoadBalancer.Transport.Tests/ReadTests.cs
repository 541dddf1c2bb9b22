using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using LoadBalancer.Core.Buffers;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Transport.Tests;

[CancelAfter(20_000)]
internal sealed class ReadTests(string transport) : TransportTests(transport)
{
    [Test]
    public async Task BytesAreEchoed()
    {
        using TransportHost host = await NewHost().ListenAsync();
        (Socket client, TransportConnection server) = await host.PairAsync(Token);
        using (client)
        {
            Task echo = host.On(() => EchoAsync(server));
            await client.SendAllAsync("hello"u8.ToArray(), Token);
            Assert.That(await client.ReceiveExactlyAsync(5, Token), Is.EqualTo("hello"u8.ToArray()));
            client.Shutdown(SocketShutdown.Send);
            Assert.That(await client.ReceiveToEndAsync(Token), Is.Empty);
            await echo;
        }
        Assert.That(host.Listener.ConnectionCount, Is.Zero);
    }

    [Test]
    public async Task BytesSentOneAtATimeArriveOneByOne()
    {
        using TransportHost host = await NewHost().ListenAsync();
        (Socket client, TransportConnection server) = await host.PairAsync(Token);
        using Socket _ = client;
        Task echo = host.On(() => EchoAsync(server));
        byte[] message = RawSocket.RandomBytes(500, seed: 1);
        for (int i = 0; i < message.Length; i++)
        {
            await client.SendAllAsync(message.AsMemory(i, 1), Token);
            Assert.That((await client.ReceiveExactlyAsync(1, Token))[0], Is.EqualTo(message[i]));
        }
        client.Shutdown(SocketShutdown.Send);
        await echo;
    }

    [Test]
    public async Task Read_PartlyExamined_ReturnsTheRestAtOnce()
    {
        using TransportHost host = await NewHost().ListenAsync();
        (Socket client, TransportConnection server) = await host.PairAsync(Token);
        using Socket _ = client;
        await client.SendAllAsync("abcdef"u8.ToArray(), Token);
        await host.On(async () =>
        {
            ReadResult read = await server.Input.ReadAsync();
            while (read.Buffer.Length < 6)
            {
                server.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                read = await server.Input.ReadAsync();
            }
            server.Input.AdvanceTo(read.Buffer.GetPosition(2), read.Buffer.GetPosition(4));
            ValueTask<ReadResult> next = server.Input.ReadAsync();
            Assert.That(next.IsCompleted);
            read = await next;
            Assert.That(read.Buffer.ToArray(), Is.EqualTo("cdef"u8.ToArray()));
            server.Input.AdvanceTo(read.Buffer.Start);
            Assert.That(server.Input.TryRead(out read));
            Assert.That(read.Buffer.ToArray(), Is.EqualTo("cdef"u8.ToArray()));
            server.Input.AdvanceTo(read.Buffer.End);
        });
    }

    [Test]
    public async Task Fill_AfterBytesThatNobodyLookedAt_ReturnsAtOnce()
    {
        using TransportHost host = await NewHost().ListenAsync();
        (Socket client, TransportConnection server) = await host.PairAsync(Token);
        using Socket _ = client;
        await client.SendAllAsync("a"u8.ToArray(), Token);
        await host.On(async () => await server.Input.FillAsync());
        Task<bool> filled = host.On(async () =>
        {
            server.Input.Consume(0, needsMore: true);
            await server.Input.FillAsync();
            return server.Input.FillAsync().IsCompleted;
        });
        await client.SendAllAsync("b"u8.ToArray(), Token);
        Assert.That(await filled);
    }

    [Test]
    public async Task Read_AllExamined_WaitsForMoreAndKeepsWhatWasNotConsumed()
    {
        using TransportHost host = await NewHost().ListenAsync();
        (Socket client, TransportConnection server) = await host.PairAsync(Token);
        using Socket _ = client;
        await client.SendAllAsync("abc"u8.ToArray(), Token);
        var waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<byte[]> all = host.On(async () =>
        {
            byte[] first = await TakeAsync(server, 1);
            ReadResult read = await server.Input.ReadAsync();
            while (read.Buffer.Length < 2)
            {
                server.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                read = await server.Input.ReadAsync();
            }
            server.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            Assert.That(server.Input.TryRead(out ReadResult _), Is.False);
            ValueTask<ReadResult> next = server.Input.ReadAsync();
            Assert.That(next.IsCompleted, Is.False);
            waiting.SetResult();
            read = await next;
            return (byte[])[.. first, .. read.Buffer.ToArray()];
        });
        await Task.WhenAny(waiting.Task, all);
        await client.SendAllAsync("d"u8.ToArray(), Token);
        Assert.That(await all, Is.EqualTo("abcd"u8.ToArray()));
    }

    [Test]
    public async Task Read_ExaminedToTheEnd_GrowsTheBufferUpToTheLargestSlab()
    {
        using TransportHost host = await NewHost().ListenAsync();
        (Socket client, TransportConnection server) = await host.PairAsync(Token);
        using Socket _ = client;
        byte[] message = RawSocket.RandomBytes(SlabPool.LargeSize, seed: 2);
        Task send = client.SendAllAsync(message, Token);
        byte[] received = await host.On(() => TakeAsync(server, message.Length));
        await send;
        Assert.That(received.AsSpan().SequenceEqual(message));
        Assert.That(await host.On(() => host.Loop.Slabs.Leased), Is.Zero);
    }

    [Test]
    public async Task Read_UnconsumedRemainderAtTheEndOfTheBuffer_IsMovedNotLost()
    {
        using TransportHost host = await NewHost().ListenAsync();
        (Socket client, TransportConnection server) = await host.PairAsync(Token);
        using Socket _ = client;
        byte[] message = RawSocket.RandomBytes(1_000_003, seed: 3);
        Task send = client.SendAllAsync(message, Token);
        byte[] received = await host.On(async () =>
        {
            using var all = new MemoryStream();
            while (all.Length < message.Length)
            {
                int step = (int)Math.Min(7001, message.Length - all.Length); // never a divisor of a slab
                all.Write(await TakeAsync(server, step));
            }
            return all.ToArray();
        });
        await send;
        Assert.That(received.AsSpan().SequenceEqual(message));
    }

    [Test]
    public async Task IdleConnectionsHoldNoSlab()
    {
        using TransportHost host = await NewHost().ListenAsync();
        var clients = new List<Socket>();
        var echoes = new List<Task>();
        for (int i = 0; i < 100; i++)
        {
            (Socket client, TransportConnection server) = await host.PairAsync(Token);
            clients.Add(client);
            echoes.Add(host.On(() => EchoAsync(server)));
            await client.SendAllAsync("request"u8.ToArray(), Token);
            await client.ReceiveExactlyAsync(7, Token);
        }
        Assert.That(await host.On(() => host.Loop.Slabs.Leased), Is.Zero);
        Assert.That(host.Listener.ConnectionCount, Is.EqualTo(100));
        foreach (Socket client in clients) client.Dispose();
        await Task.WhenAll(echoes);
        Assert.That(host.Listener.ConnectionCount, Is.Zero);
    }

    [Test]
    public async Task EndOfStreamCompletesReadsWithoutFault()
    {
        using TransportHost host = await NewHost().ListenAsync();
        (Socket client, TransportConnection server) = await host.PairAsync(Token);
        using Socket _ = client;
        await client.SendAllAsync("last"u8.ToArray(), Token);
        client.Shutdown(SocketShutdown.Send);
        await host.On(async () =>
        {
            ReadResult read = await server.Input.ReadAsync();
            while (!read.IsCompleted)
            {
                server.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                read = await server.Input.ReadAsync();
            }
            Assert.That(read.Buffer.ToArray(), Is.EqualTo("last"u8.ToArray()));
            server.Input.AdvanceTo(read.Buffer.End);
            read = await server.Input.ReadAsync();
            Assert.That(read.IsCompleted);
            Assert.That(read.Buffer.IsEmpty);
            Assert.That(server.Fault, Is.EqualTo(TransportFault.None));
        });
    }

    [Test]
    public async Task PeerResetEndsAPendingReadWithFaultReset()
    {
        using TransportHost host = await NewHost().ListenAsync();
        (Socket client, TransportConnection server) = await host.PairAsync(Token);
        var waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<ReadResult> reading = host.On(async () =>
        {
            ValueTask<ReadResult> read = server.Input.ReadAsync();
            waiting.SetResult();
            return await read;
        });
        await waiting.Task;
        client.Reset();
        ReadResult result = await reading;
        Assert.That(result.IsCompleted);
        Assert.That(result.Buffer.IsEmpty);
        await host.On(async () =>
        {
            Assert.That(server.Fault, Is.EqualTo(TransportFault.Reset));
            Assert.That((await server.Input.ReadAsync()).IsCompleted);
            Assert.That((await server.Output.WriteAsync("x"u8.ToArray())).IsCompleted);
            server.Close();
        });
    }

    [Test]
    public async Task CancelPendingRead_Pending_EndsItAndTheNextReadGoesOn()
    {
        using TransportHost host = await NewHost().ListenAsync();
        (Socket client, TransportConnection server) = await host.PairAsync(Token);
        using Socket _ = client;
        await host.On(async () =>
        {
            ValueTask<ReadResult> pending = server.Input.ReadAsync();
            Assert.That(pending.IsCompleted, Is.False);
            server.Input.CancelPendingRead();
            ReadResult read = await pending;
            Assert.That(read.IsCanceled);
            Assert.That(read.IsCompleted, Is.False);
            server.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        });
        Task<byte[]> taking = host.On(() => TakeAsync(server, 3));
        await client.SendAllAsync("abc"u8.ToArray(), Token);
        Assert.That(await taking, Is.EqualTo("abc"u8.ToArray()));
    }

    [Test]
    public async Task CancelPendingRead_NonePending_EndsTheNextOne()
    {
        using TransportHost host = await NewHost().ListenAsync();
        (Socket client, TransportConnection server) = await host.PairAsync(Token);
        using Socket _ = client;
        await host.On(async () =>
        {
            server.Input.CancelPendingRead();
            ValueTask<ReadResult> read = server.Input.ReadAsync();
            Assert.That(read.IsCompleted);
            Assert.That((await read).IsCanceled);
            ValueTask<ReadResult> next = server.Input.ReadAsync();
            Assert.That(next.IsCompleted, Is.False);
        });
    }

    [Test]
    public async Task CancelPendingRead_WithBytesBuffered_ReturnsThem()
    {
        using TransportHost host = await NewHost().ListenAsync();
        (Socket client, TransportConnection server) = await host.PairAsync(Token);
        using Socket _ = client;
        await client.SendAllAsync("abc"u8.ToArray(), Token);
        await host.On(async () =>
        {
            ReadResult read = await server.Input.ReadAsync();
            int buffered = (int)read.Buffer.Length;
            server.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            if (buffered < 3) return; // the bytes came apart: nothing to show here
            ValueTask<ReadResult> pending = server.Input.ReadAsync();
            server.Input.CancelPendingRead();
            read = await pending;
            Assert.That(read.IsCanceled);
            Assert.That(read.Buffer.ToArray(), Is.EqualTo("abc"u8.ToArray()));
            server.Input.AdvanceTo(read.Buffer.End);
        });
    }
}
