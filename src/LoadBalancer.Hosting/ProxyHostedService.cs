using System.Net;
using LoadBalancer.Core;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Hosting;

/// <summary>Ties the life of a <see cref="ProxyServer"/> to that of its host.</summary>
internal sealed class ProxyHostedService(ProxyServer server, LoadBalancerOptions options, ILogger<ProxyServer> logger) : IHostedService
{
    private bool _isStarted;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await server.StartAsync(cancellationToken).ConfigureAwait(false);
        _isStarted = true;
        foreach ((string name, EndPoint endPoint) in server.Endpoints) logger.Listening(name, endPoint);
        logger.Started(server.Transport, server.LoopCount);
        if (MemoryBounds.Describe(options.Config) is { } lowered) logger.MemoryIsShort(lowered);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (!_isStarted) return; // the host also stops what failed to start
        logger.Draining();
        await server.StopAsync(cancellationToken).ConfigureAwait(false);
        logger.Stopped();
    }
}
