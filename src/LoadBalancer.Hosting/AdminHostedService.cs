using LoadBalancer.Admin;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Hosting;

/// <summary>Ties the life of the admin listener to that of its host: up before the balancer, and down after it. Told of when the whole host is up.</summary>
internal sealed class AdminHostedService(AdminServer server, ILogger<AdminServer> logger) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => server.StartAsync();

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        if (server.EndPoint is { } endPoint) logger.AdminListening(endPoint);
        else if (server.Missing is { } missing) logger.NoAdminListener(missing);
        return Task.CompletedTask;
    }

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => server.StopAsync();

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
