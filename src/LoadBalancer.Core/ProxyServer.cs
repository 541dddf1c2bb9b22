using System.Net;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Core;

/// <summary>The balancer itself: binds the listeners, runs the loops, relays. One instance is started and stopped once.</summary>
public sealed class ProxyServer : IAsyncDisposable
{
    /// <summary>Makes a server from a configuration that <see cref="ConfigValidator"/> accepts.</summary>
    /// <exception cref="ConfigException">The configuration has problems; all of them are listed.</exception>
    public ProxyServer(ProxyConfig config, ILoggerFactory loggerFactory, ICompletionObserver? observer = null, TimeProvider? timeProvider = null) =>
        throw new NotImplementedException();

    /// <summary>Bound addresses by listener name, with real ports, once started.</summary>
    public IReadOnlyDictionary<string, EndPoint> Endpoints => throw new NotImplementedException();

    /// <summary>Name of the transport in use: "epoll" or "sockets".</summary>
    public string Transport => throw new NotImplementedException();

    /// <summary>Number of event loops.</summary>
    public int LoopCount => throw new NotImplementedException();

    /// <summary>Binds every listener, then starts to accept.</summary>
    /// <exception cref="ListenException">An address cannot be bound; says which listener and why.</exception>
    public Task StartAsync(CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Stops accepting, lets requests in flight finish (keep-alive connections are closed with their current answer), and cuts what is left after <see cref="ProxyConfig.DrainTimeout"/> or on cancellation.</summary>
    public Task StopAsync(CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
