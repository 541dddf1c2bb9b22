using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using LoadBalancer.Core.Transport;
using LoadBalancer.Core.Transport.Epoll;
using LoadBalancer.Core.Transport.Sockets;

namespace LoadBalancer.Transport.Tests;

/// <summary>A transport with running loops and one listener; tests step onto a loop with <see cref="On{T}"/>.</summary>
internal sealed class TransportHost : IConnectionHandler, IDisposable
{
    private readonly Channel<TransportConnection> _accepted = Channel.CreateUnbounded<TransportConnection>();
    private readonly List<Exception> _unhandled = [];
    private bool _stopped;

    internal static readonly TransportFactory[] Factories =
        [new SocketsTransportFactory(), .. EpollTransportFactory.IsSupported ? new TransportFactory[] { new EpollTransportFactory() } : []];

    internal TransportHost(string transport, TimeProvider? time = null, int loops = 1)
    {
        Factory = Factories.Single(factory => factory.Name == transport);
        Loops = [.. Enumerable.Range(0, loops).Select(index => Factory.CreateLoop(index, time ?? TimeProvider.System))];
        foreach (TransportLoop loop in Loops)
        {
            loop.UnhandledException = e =>
            {
                lock (_unhandled) _unhandled.Add(e);
            };
            loop.Start();
        }
    }

    internal TransportFactory Factory { get; }

    internal TransportLoop[] Loops { get; }

    internal TransportLoop Loop => Loops[0];

    internal TransportListener Listener { get; private set; } = null!;

    internal IPEndPoint EndPoint => (IPEndPoint)Listener.LocalEndPoint;

    /// <summary>What accepted connections are observed by.</summary>
    internal IConnectionObserver? Observer { get; set; }

    internal static ListenOptions Options(EndPoint? endPoint = null, bool dualStack = false, int connectionsMax = 0) =>
        new(endPoint ?? new IPEndPoint(IPAddress.Loopback, 0), Backlog: 128, dualStack, TimeSpan.FromSeconds(60), connectionsMax);

    internal async Task<TransportHost> ListenAsync(ListenOptions? options = null)
    {
        Listener = Factory.Bind(options ?? Options(), Loops.Length);
        foreach (TransportLoop loop in Loops) await On(() => loop.StartAccepting(Listener, this), loop);
        return this;
    }

    void IConnectionHandler.OnAccepted(TransportConnection connection)
    {
        connection.Observer = Observer;
        _accepted.Writer.TryWrite(connection);
    }

    internal Task<TransportConnection> AcceptAsync(CancellationToken token) => _accepted.Reader.ReadAsync(token).AsTask();

    internal async Task<Socket> ConnectRawAsync(CancellationToken token)
    {
        EndPoint endPoint = Listener.LocalEndPoint;
        var client = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        if (endPoint is IPEndPoint) client.NoDelay = true;
        await client.ConnectAsync(endPoint, token);
        return client;
    }

    /// <summary>A raw client and the connection accepted from it.</summary>
    internal async Task<(Socket Client, TransportConnection Server)> PairAsync(CancellationToken token)
    {
        Socket client = await ConnectRawAsync(token);
        return (client, await AcceptAsync(token));
    }

    /// <summary>A raw server socket and an outbound connection to it.</summary>
    internal async Task<(Socket Server, TransportConnection Client)> OutboundPairAsync(CancellationToken token, IConnectionObserver? observer = null)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        TransportConnection connection = null!;
        ConnectResult result = await On(async () =>
        {
            connection = Loop.CreateOutbound(listener.LocalEndPoint!);
            connection.Observer = observer;
            return await connection.ConnectAsync();
        });
        Assert.That(result, Is.EqualTo(ConnectResult.Connected));
        return (await listener.AcceptAsync(token), connection);
    }

    /// <summary>Runs code on a loop's thread.</summary>
    internal Task On(Action body, TransportLoop? loop = null) => On(
        () =>
        {
            body();
            return Task.FromResult(true);
        },
        loop);

    internal Task<T> On<T>(Func<T> body, TransportLoop? loop = null) => On(() => Task.FromResult(body()), loop);

    internal Task On(Func<Task> body, TransportLoop? loop = null) => On(
        async () =>
        {
            await body();
            return true;
        },
        loop);

    /// <summary>Starts an asynchronous method on a loop's thread; it may await the loop's connections and nothing else.</summary>
    internal Task<T> On<T>(Func<Task<T>> body, TransportLoop? loop = null)
    {
        loop ??= Loop;
        var work = new Work<T>(loop, body);
        loop.Post(work);
        return work.Result.Task;
    }

    internal void Stop()
    {
        if (_stopped) return;
        _stopped = true;
        foreach (TransportLoop loop in Loops) loop.Stop();
    }

    internal Exception[] TakeUnhandled()
    {
        lock (_unhandled)
        {
            Exception[] taken = [.. _unhandled];
            _unhandled.Clear();
            return taken;
        }
    }

    public void Dispose()
    {
        Stop();
        Listener?.Dispose();
        Assert.That(TakeUnhandled(), Is.Empty);
    }

    private sealed class Work<T>(TransportLoop loop, Func<Task<T>> body) : LoopWork
    {
        internal TaskCompletionSource<T> Result { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        protected internal override void Execute() => _ = RunAsync();

        private async Task RunAsync()
        {
            try
            {
                T result = await body();
                if (!loop.IsCurrent) throw new InvalidOperationException("a continuation left the loop's thread");
                Result.SetResult(result);
            }
            catch (Exception e)
            {
                Result.SetException(e);
            }
        }
    }
}

/// <summary>Lets a test await what an observer is told.</summary>
internal sealed class EventRecorder : IConnectionObserver
{
    private readonly Channel<(bool Readable, bool Broken)> _events = Channel.CreateUnbounded<(bool, bool)>();

    public void OnConnectionEvent(bool readable, bool broken) => _events.Writer.TryWrite((readable, broken));

    internal async Task<(bool Readable, bool Broken)> NextAsync(CancellationToken token) => await _events.Reader.ReadAsync(token);

    internal async Task BrokenAsync(CancellationToken token)
    {
        while (!(await NextAsync(token)).Broken)
        {
        }
    }
}
