using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Transport.Tests;

[CancelAfter(20_000)]
internal sealed class ConnectionTests(string transport) : TransportTests(transport)
{
    [Test]
    public async Task Connect_SomebodyListens_CarriesBytes()
    {
        using TransportHost host = NewHost();
        (Socket server, TransportConnection client) = await host.OutboundPairAsync(Token);
        using Socket _ = server;
        Assert.That(client.Remote.ToString(), Is.EqualTo(server.LocalEndPoint!.ToString()));
        Assert.That((await host.On(client.GetLocalAddress)).ToString(), Is.EqualTo(server.RemoteEndPoint!.ToString()));
        await host.On(async () => await client.Output.WriteAsync("ping"u8.ToArray()));
        Assert.That(await server.ReceiveExactlyAsync(4, Token), Is.EqualTo("ping"u8.ToArray()));
        await server.SendAllAsync("pong"u8.ToArray(), Token);
        Assert.That(await host.On(() => TakeAsync(client, 4)), Is.EqualTo("pong"u8.ToArray()));
        await host.On(client.Close);
        Assert.That(await server.ReceiveToEndAsync(Token), Is.Empty);
    }

    [Test]
    public async Task Connect_NobodyListens_IsRefused()
    {
        using TransportHost host = NewHost();
        EndPoint free;
        using (var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))
        {
            probe.Bind(new IPEndPoint(IPAddress.Loopback, 0)); // bound, not listening: stays refused while we try
            free = probe.LocalEndPoint!;
            Assert.That(
                await host.On(async () =>
                {
                    TransportConnection connection = host.Loop.CreateOutbound(free);
                    ConnectResult result = await connection.ConnectAsync();
                    Assert.That(connection.IsReusable, Is.False);
                    connection.Close();
                    return result;
                }),
                Is.EqualTo(ConnectResult.Refused));
        }
    }

    [Test]
    [Platform("Linux", Reason = "a full accept queue is silent there")]
    public async Task Connect_AbortedMeanwhile_ResultIsAborted()
    {
        using TransportHost host = NewHost();
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(0);
        // Fills the accept queue; the kernel drops further SYNs.
        var fillers = new List<Socket>();
        for (int i = 0; i < 4; i++)
        {
            var filler = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
            fillers.Add(filler);
            try
            {
                filler.Connect(listener.LocalEndPoint!);
            }
            catch (SocketException)
            {
            }
        }
        TransportConnection connection = null!;
        Task<ConnectResult> connecting = host.On(async () =>
        {
            connection = host.Loop.CreateOutbound(listener.LocalEndPoint!);
            return await connection.ConnectAsync();
        });
        await host.On(() =>
        {
            Assert.That(connecting.IsCompleted, Is.False);
            connection.Abort();
        });
        Assert.That(await connecting, Is.EqualTo(ConnectResult.Aborted));
        Assert.That(connection.Fault, Is.EqualTo(TransportFault.Aborted));
        await host.On(connection.Close);
        foreach (Socket filler in fillers) filler.Dispose();
    }

    [Test]
    public async Task Connect_AbortedBefore_ResultIsAborted()
    {
        using TransportHost host = NewHost();
        Assert.That(
            await host.On(async () =>
            {
                TransportConnection connection = host.Loop.CreateOutbound(new IPEndPoint(IPAddress.Loopback, 9));
                connection.Abort();
                return await connection.ConnectAsync();
            }),
            Is.EqualTo(ConnectResult.Aborted));
    }

    [Test]
    public async Task AbortWakesAPendingReadAndResetsThePeer()
    {
        using TransportHost host = await NewHost().ListenAsync();
        (Socket client, TransportConnection server) = await host.PairAsync(Token);
        using Socket _ = client;
        Task<ReadResult> reading = host.On(async () => await server.Input.ReadAsync());
        await host.On(server.Abort);
        Assert.That((await reading).IsCompleted);
        Assert.That(server.Fault, Is.EqualTo(TransportFault.Aborted));
        SocketException? e = Assert.ThrowsAsync<SocketException>(() => client.ReceiveToEndAsync(Token));
        Assert.That(e!.SocketErrorCode, Is.EqualTo(SocketError.ConnectionReset));
        await host.On(server.Close);
        Assert.That(host.Listener.ConnectionCount, Is.Zero);
    }

    [Test]
    public async Task AbortWakesAPendingFlush()
    {
        using TransportHost host = await NewHost().ListenAsync();
        (Socket client, TransportConnection server) = await host.PairAsync(Token);
        using Socket _ = client;
        Task<FlushResult> writing = await WriteTests.StallAsync(host, server);
        Task<ReadResult> reading = host.On(async () => await server.Input.ReadAsync());
        await host.On(server.Abort);
        Assert.That((await writing).IsCompleted);
        Assert.That((await reading).IsCompleted);
        Assert.That(server.Fault, Is.EqualTo(TransportFault.Aborted));
    }

    [Test]
    public async Task AbortAndCloseAreIdempotent()
    {
        using TransportHost host = await NewHost().ListenAsync();
        (Socket client, TransportConnection server) = await host.PairAsync(Token);
        using Socket _ = client;
        await host.On(() =>
        {
            server.Abort();
            server.Abort();
            server.Close();
            server.Close();
            server.Abort();
        });
        Assert.That(host.Listener.ConnectionCount, Is.Zero);
    }

    [Test]
    public async Task IsReusable_Quiet_IsTrue()
    {
        using TransportHost host = NewHost();
        (Socket server, TransportConnection client) = await host.OutboundPairAsync(Token);
        using Socket _ = server;
        Assert.That(await host.On(() => client.IsReusable));
        await server.SendAllAsync("answer"u8.ToArray(), Token);
        await host.On(() => TakeAsync(client, 6));
        Assert.That(await host.On(() => client.IsReusable));
    }

    [TestCase("bytes")]
    [TestCase("end")]
    [TestCase("reset")]
    public async Task IsReusable_AfterNewsFromThePeer_IsFalse(string news)
    {
        using TransportHost host = NewHost();
        var events = new EventRecorder();
        (Socket server, TransportConnection client) = await host.OutboundPairAsync(Token, events);
        using Socket _ = server;
        // An exchange first, as in a pool.
        await server.SendAllAsync("answer"u8.ToArray(), Token);
        await host.On(() => TakeAsync(client, 6));
        Assert.That(await host.On(() => client.IsReusable));
        switch (news)
        {
            case "bytes":
                await server.SendAllAsync("x"u8.ToArray(), Token);
                break;
            case "end":
                server.Shutdown(SocketShutdown.Send);
                break;
            default:
                server.Reset();
                break;
        }
        // Events of the exchange itself may come first.
        do await events.NextAsync(Token);
        while (await host.On(() => client.IsReusable));
    }

    [Test]
    public async Task ObserverIsToldOfAResetWhileNobodyReads()
    {
        using TransportHost host = NewHost();
        var events = new EventRecorder();
        host.Observer = events;
        await host.ListenAsync();
        (Socket client, TransportConnection server) = await host.PairAsync(Token);
        await client.SendAllAsync("request"u8.ToArray(), Token);
        await host.On(() => TakeAsync(server, 7));
        client.Reset();
        await events.BrokenAsync(Token);
        await host.On(async () =>
        {
            Assert.That((await server.Input.ReadAsync()).IsCompleted);
            Assert.That(server.Fault, Is.EqualTo(TransportFault.Reset));
            server.Close();
        });
    }

    [Test]
    public async Task ObserverSetLateIsToldOfAReset()
    {
        using TransportHost host = await NewHost().ListenAsync();
        (Socket client, TransportConnection server) = await host.PairAsync(Token);
        await client.SendAllAsync("request"u8.ToArray(), Token);
        await host.On(() => TakeAsync(server, 7));
        var events = new EventRecorder();
        await host.On(() => server.Observer = events);
        client.Reset();
        await events.BrokenAsync(Token);
    }

    [Test]
    public async Task ObserverMayCloseTheConnection()
    {
        using TransportHost host = NewHost();
        var closer = new Closer();
        (Socket server, TransportConnection client) = await host.OutboundPairAsync(Token, closer);
        closer.Connection = client;
        using Socket _ = server;
        server.Shutdown(SocketShutdown.Send);
        await closer.Closed.Task.WaitAsync(Token);
        Assert.That(await server.ReceiveToEndAsync(Token), Is.Empty);
    }

    [Test]
    public async Task ObserverIsNotToldWhatAReadTakes()
    {
        using TransportHost host = NewHost();
        var events = new Counter();
        host.Observer = events;
        await host.ListenAsync();
        (Socket client, TransportConnection server) = await host.PairAsync(Token);
        using Socket _ = client;
        Task echo = host.On(() => EchoAsync(server));
        await host.On(() => events.Count = 0); // it reads by now
        for (int i = 0; i < 100; i++)
        {
            await client.SendAllAsync("message"u8.ToArray(), Token);
            await client.ReceiveExactlyAsync(7, Token);
        }
        Assert.That(await host.On(() => events.Count), Is.Zero);
        client.Shutdown(SocketShutdown.Send);
        await echo;
    }

    private sealed class Counter : IConnectionObserver
    {
        internal int Count;

        public void OnConnectionEvent(bool readable, bool broken) => Count++;
    }

    private sealed class Closer : IConnectionObserver
    {
        internal TransportConnection? Connection;
        internal readonly TaskCompletionSource Closed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void OnConnectionEvent(bool readable, bool broken)
        {
            Connection!.Close();
            Closed.TrySetResult();
        }
    }
}
