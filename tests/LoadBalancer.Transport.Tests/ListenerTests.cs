using System.Net;
using System.Net.Sockets;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Transport.Tests;

[CancelAfter(20_000)]
internal sealed class ListenerTests(string transport) : TransportTests(transport)
{
    private static string NewSocketPath() => Path.Combine(Path.GetTempPath(), $"lb-{Guid.NewGuid():N}.sock");

    [Test]
    public void Bind_PortInUse_Throws()
    {
        using TransportHost host = NewHost();
        using TransportListener first = host.Factory.Bind(TransportHost.Options(), 1);
        SocketException? e = Assert.Throws<SocketException>(() => host.Factory.Bind(TransportHost.Options(first.LocalEndPoint), 1));
        Assert.That(e!.SocketErrorCode, Is.EqualTo(SocketError.AddressAlreadyInUse));
    }

    [Test]
    public async Task RemoteIsTheClientsAddress()
    {
        using TransportHost host = await NewHost().ListenAsync();
        (Socket client, TransportConnection server) = await host.PairAsync(Token);
        using Socket _ = client;
        Assert.That(server.Remote.ToString(), Is.EqualTo(client.LocalEndPoint!.ToString()));
        Assert.That((await host.On(server.GetLocalAddress)).ToString(), Is.EqualTo(client.RemoteEndPoint!.ToString()));
    }

    [Test]
    public async Task DualStackListenerServesBothFamilies()
    {
        if (!Socket.OSSupportsIPv6) Assert.Ignore("no IPv6 here");
        using TransportHost host = await NewHost().ListenAsync(TransportHost.Options(new IPEndPoint(IPAddress.IPv6Any, 0), dualStack: true));
        foreach (IPAddress address in new[] { IPAddress.Loopback, IPAddress.IPv6Loopback })
        {
            using var client = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            await client.ConnectAsync(new IPEndPoint(address, host.EndPoint.Port), Token);
            TransportConnection server = await host.AcceptAsync(Token);
            Assert.That(server.Remote.Family, Is.EqualTo(address.AddressFamily));
            Assert.That(server.Remote.ToString(), Is.EqualTo(client.LocalEndPoint!.ToString()));
        }
    }

    [Test]
    public async Task WithoutDualStackIPv4IsNotServed()
    {
        if (!Socket.OSSupportsIPv6) Assert.Ignore("no IPv6 here");
        using TransportHost host = await NewHost().ListenAsync(TransportHost.Options(new IPEndPoint(IPAddress.IPv6Any, 0)));
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        SocketException? e = Assert.ThrowsAsync<SocketException>(async () => await client.ConnectAsync(new IPEndPoint(IPAddress.Loopback, host.EndPoint.Port), Token));
        Assert.That(e!.SocketErrorCode, Is.EqualTo(SocketError.ConnectionRefused));
    }

    [Test]
    public async Task UnixSocketCarriesBytesAndItsFileIsRemoved()
    {
        string path = NewSocketPath();
        using (TransportHost host = await NewHost().ListenAsync(TransportHost.Options(new UnixDomainSocketEndPoint(path))))
        {
            TransportConnection client = null!;
            Assert.That(
                await host.On(async () =>
                {
                    client = host.Loop.CreateOutbound(new UnixDomainSocketEndPoint(path));
                    return await client.ConnectAsync();
                }),
                Is.EqualTo(ConnectResult.Connected));
            TransportConnection server = await host.AcceptAsync(Token);
            Assert.That(server.Remote, Is.EqualTo(PeerAddress.Unix));
            Assert.That(client.Remote, Is.EqualTo(PeerAddress.Unix));
            Task echo = host.On(() => EchoAsync(server));
            byte[] message = RawSocket.RandomBytes(300_000, seed: 9);
            Task send = host.On(async () =>
            {
                await client.Output.WriteAsync(message);
                client.Output.Complete();
            });
            byte[] received = await host.On(async () =>
            {
                using var all = new MemoryStream();
                while (all.Length < message.Length) all.Write(await TakeAsync(client, (int)Math.Min(10_000, message.Length - all.Length)));
                return all.ToArray();
            });
            Assert.That(received.AsSpan().SequenceEqual(message));
            await send;
            await echo;
        }
        Assert.That(File.Exists(path), Is.False);
    }

    [Test]
    public async Task StaleUnixSocketFileIsReplaced()
    {
        string path = NewSocketPath(), other = path + ".moved";
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            dead.Bind(new UnixDomainSocketEndPoint(path));
            File.Move(path, other); // out of reach of the socket's own clean-up
        }
        File.Move(other, path);
        using TransportHost host = await NewHost().ListenAsync(TransportHost.Options(new UnixDomainSocketEndPoint(path)));
        (Socket client, TransportConnection _) = await host.PairAsync(Token);
        client.Dispose();
    }

    [Test]
    public async Task UnixSocketThatAnswersIsNotReplaced()
    {
        string path = NewSocketPath();
        using TransportHost host = await NewHost().ListenAsync(TransportHost.Options(new UnixDomainSocketEndPoint(path)));
        SocketException? e = Assert.Throws<SocketException>(() => host.Factory.Bind(TransportHost.Options(new UnixDomainSocketEndPoint(path)), 1));
        Assert.That(e!.SocketErrorCode, Is.EqualTo(SocketError.AddressAlreadyInUse));
        Assert.That(File.Exists(path));
    }

    [Test]
    public void FileThatIsNoSocketIsNotReplaced()
    {
        string path = NewSocketPath();
        File.WriteAllText(path, "precious");
        using TransportHost host = NewHost();
        Assert.Throws<SocketException>(() => host.Factory.Bind(TransportHost.Options(new UnixDomainSocketEndPoint(path)), 1));
        Assert.That(File.ReadAllText(path), Is.EqualTo("precious"));
        File.Delete(path);
    }

    [Test]
    public async Task Connect_NoSuchUnixSocket_IsRefused()
    {
        using TransportHost host = NewHost();
        Assert.That(
            await host.On(async () => await host.Loop.CreateOutbound(new UnixDomainSocketEndPoint(NewSocketPath())).ConnectAsync()),
            Is.EqualTo(ConnectResult.Refused));
    }

    [Test]
    public async Task ConnectionsBeyondTheCapAreClosedUntilOneEnds()
    {
        using TransportHost host = await NewHost().ListenAsync(TransportHost.Options(connectionsMax: 2));
        (Socket first, TransportConnection firstServer) = await host.PairAsync(Token);
        (Socket second, TransportConnection _) = await host.PairAsync(Token);
        using (Socket third = await host.ConnectRawAsync(Token)) Assert.That(await third.ReceiveToEndAsync(Token), Is.Empty);
        Assert.That(host.Listener.RefusedCount, Is.EqualTo(1));
        Assert.That(host.Listener.ConnectionCount, Is.EqualTo(2));
        await host.On(firstServer.Close);
        Assert.That(host.Listener.ConnectionCount, Is.EqualTo(1));
        (Socket fourth, TransportConnection _) = await host.PairAsync(Token);
        foreach (Socket client in new[] { first, second, fourth }) client.Dispose();
    }

    [Test]
    public async Task StopAccepting_ConnectionsLiveOn()
    {
        using TransportHost host = await NewHost().ListenAsync();
        (Socket client, TransportConnection server) = await host.PairAsync(Token);
        using Socket _ = client;
        await host.On(() => host.Loop.StopAccepting(host.Listener));
        Task echo = host.On(() => EchoAsync(server));
        await client.SendAllAsync("still here"u8.ToArray(), Token);
        Assert.That(await client.ReceiveExactlyAsync(10, Token), Is.EqualTo("still here"u8.ToArray()));
        client.Shutdown(SocketShutdown.Send);
        await echo;
    }

    [Test]
    public async Task StopAccepting_ThenStartAgain_ServesWhoConnectedMeanwhile()
    {
        using TransportHost host = await NewHost().ListenAsync();
        await host.On(() => host.Loop.StopAccepting(host.Listener));
        using Socket first = await host.ConnectRawAsync(Token);
        using Socket second = await host.ConnectRawAsync(Token);
        await host.On(() => host.Loop.StartAccepting(host.Listener, host));
        await host.AcceptAsync(Token);
        await host.AcceptAsync(Token);
    }

    [Test]
    public async Task ConnectionsAreAcceptedOnEveryLoop()
    {
        using TransportHost host = await NewHost(loops: 2).ListenAsync();
        var clients = new List<Socket>();
        var loops = new HashSet<TransportLoop>();
        for (int i = 0; i < 200 && loops.Count < 2; i++)
        {
            (Socket client, TransportConnection server) = await host.PairAsync(Token);
            clients.Add(client);
            loops.Add(server.Loop);
            Task echo = host.On(() => EchoAsync(server), server.Loop);
            await client.SendAllAsync("x"u8.ToArray(), Token);
            await client.ReceiveExactlyAsync(1, Token);
        }
        Assert.That(loops, Has.Count.EqualTo(2));
        foreach (Socket client in clients) client.Dispose();
    }

    [Test]
    public async Task ListenerDisposedWhileAccepting_ConnectionsLiveOn()
    {
        using TransportHost host = await NewHost().ListenAsync();
        (Socket client, TransportConnection server) = await host.PairAsync(Token);
        using Socket _ = client;
        await host.On(() => host.Loop.StopAccepting(host.Listener));
        IPEndPoint endPoint = host.EndPoint;
        host.Listener.Dispose();
        using var late = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        Assert.ThrowsAsync<SocketException>(async () => await late.ConnectAsync(endPoint, Token));
        Task echo = host.On(() => EchoAsync(server));
        await client.SendAllAsync("x"u8.ToArray(), Token);
        await client.ReceiveExactlyAsync(1, Token);
    }
}
