using System.Net;
using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Hosting.Reloading;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Hosting;

/// <summary>Ties the life of a <see cref="ProxyServer"/> to that of its host.</summary>
internal sealed class ProxyHostedService(ProxyServer server, ILogger<ProxyServer> logger) : IHostedService, IConfigFollower
{
    private bool _isStarted;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await server.StartAsync(cancellationToken).ConfigureAwait(false);
        _isStarted = true;
        foreach ((string name, EndPoint endPoint) in server.Endpoints) logger.Listening(name, endPoint);
        logger.Started(server.Transport, server.LoopCount);
        CheckMemory(server.Config);
    }

    public Task FollowAsync(ProxyConfig before, ProxyConfig after)
    {
        CheckMemory(after);
        return Task.CompletedTask;
    }

    private void CheckMemory(ProxyConfig config)
    {
        if (MemoryBounds.Problem(config, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes) is { } problem) logger.MemoryIsShort(problem);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (!_isStarted) return; // the host also stops what failed to start
        logger.Draining();
        await server.StopAsync(cancellationToken).ConfigureAwait(false);
        logger.Stopped();
    }
}
