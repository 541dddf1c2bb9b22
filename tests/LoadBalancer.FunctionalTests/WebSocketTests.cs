using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>WebSocket (RFC 6455) with a client and a server that others wrote: ClientWebSocket before us, Kestrel behind us.</summary>
[TestFixture(TransportKind.Epoll)]
[TestFixture(TransportKind.Sockets)]
[CancelAfter(60_000)]
public sealed class WebSocketTests(TransportKind transport)
{
    private const int Ping = 0x9, Pong = 0xA; // RFC 6455 §5.2

    private static CancellationToken Token => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SkipWhereUnsupported() => Transports.Require(transport);

    [TestCase(WebSocketMessageType.Text, "Grüße")]
    [TestCase(WebSocketMessageType.Binary, "\0\u0001\u00FF")]
    [TestCase(WebSocketMessageType.Text, "")]
    public async Task AMessagePassesBothWays(WebSocketMessageType type, string text)
    {
        await using WebSocketOrigin origin = await WebSocketOrigin.StartAsync(WebSocketOrigin.EchoAsync);
        await using ProxyFixture proxy = await StartAsync(origin);
        using ClientWebSocket client = await ConnectAsync(proxy);
        byte[] message = Encoding.UTF8.GetBytes(text);
        await client.SendAsync(message, type, endOfMessage: true, Token);
        (WebSocketMessageType gotType, byte[] got) = await ReceiveAsync(client);
        Assert.That((gotType, Convert.ToHexString(got)), Is.EqualTo((type, Convert.ToHexString(message))));
    }

    [Test]
    public async Task ALargeMessageInFragmentsArrivesWhole()
    {
        const int Fragment = 70_001; // takes the frame's 64-bit length, and meets no buffer's bound
        await using WebSocketOrigin origin = await WebSocketOrigin.StartAsync(WebSocketOrigin.EchoAsync);
        await using ProxyFixture proxy = await StartAsync(origin);
        using ClientWebSocket client = await ConnectAsync(proxy);
        byte[] message = EchoOrigin.Pattern(8 * 1024 * 1024);
        Task<(WebSocketMessageType, byte[] Bytes)> receiving = ReceiveAsync(client);
        for (int at = 0; at < message.Length; at += Fragment)
        {
            int length = Math.Min(Fragment, message.Length - at);
            await client.SendAsync(message.AsMemory(at, length), WebSocketMessageType.Binary, endOfMessage: at + length == message.Length, Token);
        }
        Assert.That((await receiving).Bytes.AsSpan().SequenceEqual(message));
        await client.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Token);
        Completion completion = await proxy.Completions.NextAsync(Token);
        Assert.That(completion.Reason, Is.EqualTo(EndReason.TunnelClosed));
        Assert.That(completion.RequestBytes, Is.GreaterThan(message.Length));
        Assert.That(completion.ResponseBytes, Is.GreaterThan(message.Length));
    }

    [Test]
    public async Task PingsAreAnsweredFromBothSides()
    {
        // Either side aborts when its pings stay unanswered.
        TimeSpan interval = TimeSpan.FromMilliseconds(20), timeout = TimeSpan.FromSeconds(30);
        await using WebSocketOrigin origin = await WebSocketOrigin.StartAsync(WebSocketOrigin.EchoAsync, _ => new() { KeepAliveInterval = interval, KeepAliveTimeout = timeout });
        await using ProxyFixture proxy = await StartAsync(origin);
        FrameWatch? watch = null;
        using ClientWebSocket client = await ConnectAsync(proxy, options => (options.KeepAliveInterval, options.KeepAliveTimeout) = (interval, timeout), stream => watch = new FrameWatch(stream));
        watch!.Begin();
        Task<(WebSocketMessageType, byte[] Bytes)> receiving = ReceiveAsync(client); // the library looks at frames only while it reads
        for (int i = 0; i < 3; i++)
        {
            await watch.ReceivedAsync(Ping, Token);
            await watch.ReceivedAsync(Pong, Token);
        }
        await client.SendAsync("still here"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, Token);
        Assert.That((await receiving).Bytes, Is.EqualTo("still here"u8.ToArray()));
    }

    [Test]
    public async Task TheClientClosesInOrder()
    {
        var seen = NewSource<(WebSocketCloseStatus?, string?)>();
        await using WebSocketOrigin origin = await WebSocketOrigin.StartAsync(async (socket, http, token) =>
        {
            await WebSocketOrigin.EchoAsync(socket, http, token);
            seen.TrySetResult((socket.CloseStatus, socket.CloseStatusDescription));
        });
        await using ProxyFixture proxy = await StartAsync(origin);
        using ClientWebSocket client = await ConnectAsync(proxy);
        await client.CloseAsync(WebSocketCloseStatus.EndpointUnavailable, "going home", Token);
        Assert.That(await seen.Task.WaitAsync(Token), Is.EqualTo(((WebSocketCloseStatus?)WebSocketCloseStatus.EndpointUnavailable, "going home")));
        Assert.That((client.State, client.CloseStatus), Is.EqualTo((WebSocketState.Closed, (WebSocketCloseStatus?)WebSocketCloseStatus.EndpointUnavailable)));
        await AssertRecordAsync(proxy, EndReason.TunnelClosed);
    }

    [Test]
    public async Task TheServerClosesInOrder()
    {
        var end = NewSource<WebSocketState>();
        await using WebSocketOrigin origin = await WebSocketOrigin.StartAsync(async (socket, _, token) =>
        {
            await socket.CloseAsync(WebSocketCloseStatus.PolicyViolation, "no", token);
            end.TrySetResult(socket.State);
        });
        await using ProxyFixture proxy = await StartAsync(origin);
        using ClientWebSocket client = await ConnectAsync(proxy);
        Assert.That((await ReceiveAsync(client)).Item1, Is.EqualTo(WebSocketMessageType.Close));
        Assert.That((client.CloseStatus, client.CloseStatusDescription), Is.EqualTo(((WebSocketCloseStatus?)WebSocketCloseStatus.PolicyViolation, "no")));
        await client.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, Token);
        Assert.That(await end.Task.WaitAsync(Token), Is.EqualTo(WebSocketState.Closed));
        await AssertRecordAsync(proxy, EndReason.TunnelClosed);
    }

    [Test]
    public async Task AMessageSentJustBeforeTheServersCloseArrives()
    {
        byte[] message = EchoOrigin.Pattern(300_000);
        await using WebSocketOrigin origin = await WebSocketOrigin.StartAsync(async (socket, _, token) =>
        {
            await socket.SendAsync(message.AsMemory(), WebSocketMessageType.Binary, endOfMessage: true, token);
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, token);
        });
        await using ProxyFixture proxy = await StartAsync(origin);
        using ClientWebSocket client = await ConnectAsync(proxy);
        Assert.That((await ReceiveAsync(client)).Item2.AsSpan().SequenceEqual(message));
        Assert.That((await ReceiveAsync(client)).Item1, Is.EqualTo(WebSocketMessageType.Close));
        await client.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, Token);
        await AssertRecordAsync(proxy, EndReason.TunnelClosed);
    }

    [Test]
    public async Task TheServersChoiceOfSubprotocolReachesTheClient()
    {
        IList<string>? offered = null;
        await using WebSocketOrigin origin = await WebSocketOrigin.StartAsync(WebSocketOrigin.EchoAsync, sockets =>
        {
            offered = sockets.WebSocketRequestedProtocols;
            return new() { SubProtocol = "chat.v1" };
        });
        await using ProxyFixture proxy = await StartAsync(origin);
        using ClientWebSocket client = await ConnectAsync(proxy, options =>
        {
            options.AddSubProtocol("chat.v2");
            options.AddSubProtocol("chat.v1");
        });
        Assert.That(client.SubProtocol, Is.EqualTo("chat.v1"));
        Assert.That(offered, Is.EqualTo(new[] { "chat.v2", "chat.v1" }));
    }

    [Test]
    public async Task CompressionIsTheBusinessOfBothEnds()
    {
        await using WebSocketOrigin origin = await WebSocketOrigin.StartAsync(WebSocketOrigin.EchoAsync, _ => new() { DangerousEnableCompression = true });
        await using ProxyFixture proxy = await StartAsync(origin);
        byte[] message = new byte[1_000_000];
        using (ClientWebSocket client = await ConnectAsync(proxy, options => options.DangerousDeflateOptions = new()))
        {
            await client.SendAsync(message, WebSocketMessageType.Binary, endOfMessage: true, Token);
            Assert.That((await ReceiveAsync(client)).Item2.AsSpan().SequenceEqual(message));
            await client.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Token);
        }
        Assert.That((await proxy.Completions.NextAsync(Token)).RequestBytes, Is.LessThan(message.Length / 10), "the extension was not negotiated through us");
    }

    [Test]
    public async Task ARefusedHandshakeIsAnOrdinaryAnswer()
    {
        await using WebSocketOrigin origin = await WebSocketOrigin.StartAsync(WebSocketOrigin.EchoAsync, _ => null);
        await using ProxyFixture proxy = await StartAsync(origin);
        using var client = new ClientWebSocket();
        client.Options.CollectHttpResponseDetails = true;
        Assert.ThrowsAsync<WebSocketException>(() => client.ConnectAsync(UriOf(proxy), Token));
        Assert.That(client.HttpStatusCode, Is.EqualTo(HttpStatusCode.Forbidden));
        Completion completion = await proxy.Completions.NextAsync(Token);
        Assert.That((completion.Reason, completion.Status), Is.EqualTo((EndReason.Completed, 403)));
    }

    [Test]
    public async Task ManySocketsKeepTheirMessagesApart()
    {
        const int Sockets = 200, Messages = 20;
        await using WebSocketOrigin origin = await WebSocketOrigin.StartAsync(WebSocketOrigin.EchoAsync);
        await using ProxyFixture proxy = await StartAsync(origin);
        var allConnected = new Barrier(Sockets);
        await Task.WhenAll(Enumerable.Range(0, Sockets).Select(async number =>
        {
            using ClientWebSocket client = await ConnectAsync(proxy);
            await allConnected.SignalAndWaitAsync(Token);
            for (int i = 0; i < Messages; i++)
            {
                byte[] message = Encoding.ASCII.GetBytes($"{number}/{i} {new string('x', number * i % 3000)}");
                await client.SendAsync(message, WebSocketMessageType.Text, endOfMessage: true, Token);
                Assert.That(Encoding.ASCII.GetString((await ReceiveAsync(client)).Item2), Is.EqualTo(Encoding.ASCII.GetString(message)));
            }
            await client.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Token);
        }));
        for (int i = 0; i < Sockets; i++) await AssertRecordAsync(proxy, EndReason.TunnelClosed);
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task TheServerSeesAClientThatLeavesWithoutClosing(bool reset)
    {
        var seen = NewSource<Exception?>();
        await using WebSocketOrigin origin = await WebSocketOrigin.StartAsync(async (socket, http, token) =>
        {
            try
            {
                await WebSocketOrigin.EchoAsync(socket, http, token);
                seen.TrySetResult(null);
            }
            catch (WebSocketException e)
            {
                seen.TrySetResult(e);
            }
        });
        await using ProxyFixture proxy = await StartAsync(origin);
        Socket? connection = null;
        using ClientWebSocket client = await ConnectAsync(proxy, onConnected: socket => connection = socket);
        if (reset)
        {
            connection!.LingerState = new LingerOption(true, 0);
            connection.Dispose(); // not through the stream, which would end in order first
        }
        else client.Abort();
        Assert.That(await seen.Task.WaitAsync(Token), Is.InstanceOf<WebSocketException>().With.Property(nameof(WebSocketException.WebSocketErrorCode)).EqualTo(WebSocketError.ConnectionClosedPrematurely));
        Completion completion = await proxy.Completions.NextAsync(Token);
        // An end without the closing handshake is in order for us; Kestrel may answer it with a reset.
        if (reset) Assert.That(completion.Reason, Is.EqualTo(EndReason.ClientAborted));
        else Assert.That(completion.Reason, Is.AnyOf(EndReason.TunnelClosed, EndReason.UpstreamClosed));
    }

    [Test]
    public async Task TheClientSeesAServerThatAborts()
    {
        await using WebSocketOrigin origin = await WebSocketOrigin.StartAsync(async (socket, http, token) =>
        {
            await socket.ReceiveAsync(new byte[10].AsMemory(), token);
            http.Abort();
        });
        await using ProxyFixture proxy = await StartAsync(origin);
        using ClientWebSocket client = await ConnectAsync(proxy);
        await client.SendAsync("x"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, Token);
        WebSocketException? e = Assert.ThrowsAsync<WebSocketException>(() => ReceiveAsync(client));
        Assert.That(e!.WebSocketErrorCode, Is.EqualTo(WebSocketError.ConnectionClosedPrematurely));
        await AssertRecordAsync(proxy, EndReason.UpstreamClosed); // Kestrel resets
    }

    private Task<ProxyFixture> StartAsync(WebSocketOrigin origin) => ProxyFixture.StartAsync(ProxyFixture.Config(transport, origin.Address));

    private static Uri UriOf(ProxyFixture proxy) => new($"ws://{proxy.EndPoint}/chat?room=1");

    private static async Task<ClientWebSocket> ConnectAsync(
        ProxyFixture proxy, Action<ClientWebSocketOptions>? configure = null, Func<Stream, Stream>? wrap = null, Action<Socket>? onConnected = null)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, token) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(proxy.EndPoint, token);
                onConnected?.Invoke(socket);
                var stream = new NetworkStream(socket, ownsSocket: true);
                return wrap is null ? stream : wrap(stream);
            },
        };
        var client = new ClientWebSocket();
        configure?.Invoke(client.Options);
        await client.ConnectAsync(UriOf(proxy), new HttpMessageInvoker(handler), Token);
        return client;
    }

    /// <summary>One whole message, or a close.</summary>
    private static async Task<(WebSocketMessageType, byte[] Bytes)> ReceiveAsync(ClientWebSocket client)
    {
        var message = new MemoryStream();
        byte[] buffer = new byte[64 * 1024];
        while (true)
        {
            ValueWebSocketReceiveResult received = await client.ReceiveAsync(buffer.AsMemory(), Token);
            message.Write(buffer, 0, received.Count);
            if (received.EndOfMessage) return (received.MessageType, message.ToArray());
        }
    }

    private static async Task AssertRecordAsync(ProxyFixture proxy, EndReason reason)
    {
        Completion completion = await proxy.Completions.NextAsync(Token);
        Assert.That((completion.Reason, completion.Status, completion.Target), Is.EqualTo((reason, 101, "/chat?room=1")));
    }

    private static TaskCompletionSource<T> NewSource<T>() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Lets nobody go on before everybody is there.</summary>
    private sealed class Barrier(int count)
    {
        private readonly TaskCompletionSource _all = NewSource();
        private int _missing = count;

        internal Task SignalAndWaitAsync(CancellationToken token)
        {
            if (Interlocked.Decrement(ref _missing) == 0) _all.SetResult();
            return _all.Task.WaitAsync(token);
        }

        private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
