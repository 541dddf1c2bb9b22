using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Transport;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Core.Serving;

/// <summary>
/// A small HTTP/1.1 server for answers of our own, apart from the proxy: its connections live on one loop of its own and its handlers run on the thread pool, so
/// that neither delays a request that is proxied. As strict as the proxy about what it reads, and every size and time is bounded. One instance is started and stopped once.
/// </summary>
public sealed class RequestServer : IAsyncDisposable
{
    // A body that is not taken stops its handler at the first, and lets it go on at the second.
    private const int BodyPausesAt = 64 * 1024, BodyResumesAt = 32 * 1024;

    private readonly IRequestHandler _handler;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly HashSet<ServedConnection> _connections = []; // the loop's thread only
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TransportListener? _listener;
    private TransportLoop? _loop;
    private bool _stopped;

    /// <summary>A server that is not bound yet.</summary>
    public RequestServer(IRequestHandler handler, RequestServerOptions options, ILogger logger, TimeProvider? timeProvider = null)
    {
        _handler = handler;
        Options = options;
        _logger = logger;
        _time = timeProvider ?? TimeProvider.System;
    }

    /// <summary>The bound address, with its real port, once started.</summary>
    public EndPoint? EndPoint => _listener?.LocalEndPoint;

    internal RequestServerOptions Options { get; }

    /// <summary>The bound socket; null where it cannot be handed to another process.</summary>
    internal Transport.Epoll.EpollListener? Socket => _listener as Transport.Epoll.EpollListener;

    /// <summary>The process before has left, see <see cref="TransportListener.Claim"/>.</summary>
    internal void ClaimSocket() => _listener?.Claim();

    internal TransportLoop Loop => _loop!;

    internal PipeOptions PipeOptions { get; private set; } = null!;

    /// <summary>Whether the start binds only, and <see cref="Accept"/> is called later.</summary>
    internal bool AcceptsLater { get; init; }

    /// <summary>Whether who has connected and not asked yet is waited for while it stops: nobody refuses him that way, as another process accepts.</summary>
    internal bool IsLeaving { get; private set; }

    /// <summary>No further request is read.</summary>
    internal bool IsStopping { get; private set; }

    /// <summary>Binds the address and starts to accept.</summary>
    /// <exception cref="ListenException">The address cannot be bound; says why.</exception>
    public Task StartAsync()
    {
        if (!AddressParser.TryParseListener(Options.Address, out EndPoint? endPoint, out string? error)) throw new ListenException(Options.Name, Options.Address, error!);
        TransportFactory factory = TransportFactory.Create(Options.Transport);
        try
        {
            _listener = factory.Bind(
                new ListenOptions(endPoint!, Backlog: 128, DualStack: true, KeepAlive: TimeSpan.FromMinutes(1), Options.ConnectionsMax, Options.FileMode), loopCount: 1);
        }
        catch (Exception e) when (e is SocketException or IOException or UnauthorizedAccessException)
        {
            throw ListenException.Of(Options.Name, Options.Address, e);
        }
        try
        {
            _loop = factory.CreateLoop(0, _time);
        }
        catch
        {
            _listener.Dispose();
            throw;
        }
        _loop.UnhandledException = e => ServerLog.InternalError(_logger, e);
        PipeOptions = new PipeOptions(readerScheduler: new LoopScheduler(_loop), writerScheduler: PipeScheduler.ThreadPool,
            pauseWriterThreshold: BodyPausesAt, resumeWriterThreshold: BodyResumesAt, useSynchronizationContext: false);
        _loop.Start();
        if (!AcceptsLater) Accept();
        return Task.CompletedTask;
    }

    /// <summary>Starts to accept, where the start did not.</summary>
    internal void Accept() => Loop.Post(new Work(() => Loop.StartAccepting(_listener!, new Starter(this))));

    /// <summary>As <see cref="StopAsync"/>, where another process accepts from the same socket by now.</summary>
    internal Task LeaveAsync()
    {
        IsLeaving = true;
        Socket?.HandOver();
        return StopAsync();
    }

    /// <summary>Closes idle connections, lets answers under way end for a short time (streamed ones end at once), then cuts what is left.</summary>
    public async Task StopAsync()
    {
        if (_stopped || _loop is not { } loop || _listener is not { } listener) return;
        _stopped = true;
        loop.Post(new Work(() =>
        {
            loop.StopAccepting(listener);
            listener.Dispose();
            IsStopping = true;
            foreach (ServedConnection connection in _connections.ToList()) connection.OnStop();
            if (_connections.Count == 0) _drained.TrySetResult();
        }));
        try
        {
            await _drained.Task.WaitAsync(Options.StopTimeout, _time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // what is left is cut with the loop
        }
        await Task.Run(loop.Stop).ConfigureAwait(false);
        listener.Dispose();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await StopAsync().ConfigureAwait(false);

    /// <summary>Runs the handler on the thread pool. The end of the response's body is the end of the request.</summary>
    internal void Handle(ServedRequest request, ServedResponse response, CancellationToken aborted) => _ = Task.Run(async () =>
    {
        Exception? failure = null;
        try
        {
            await _handler.HandleAsync(request, response, aborted).ConfigureAwait(false);
        }
        catch (Exception e) // handed over: the connection answers 500, or cuts what has begun
        {
            failure = e;
        }
        await response.Body.CompleteAsync(failure).ConfigureAwait(false);
    }, CancellationToken.None);

    internal void Failed(Exception exception) => ServerLog.InternalError(_logger, exception);

    internal void Add(ServedConnection connection) => _connections.Add(connection);

    internal void Remove(ServedConnection connection)
    {
        _connections.Remove(connection);
        if (IsStopping && _connections.Count == 0) _drained.TrySetResult();
    }

    private sealed class Starter(RequestServer server) : IConnectionHandler
    {
        public void OnAccepted(TransportConnection connection) => new ServedConnection(server, connection).Start();
    }

    private sealed class Work(Action action) : LoopWork
    {
        protected internal override void Execute() => action();
    }

    // Brings the reading side of a body back to the loop.
    private sealed class LoopScheduler(TransportLoop loop) : PipeScheduler
    {
        public override void Schedule(Action<object?> action, object? state) => loop.Post(new Work(() => action(state)));
    }
}
