using LoadBalancer.Admin;
using Microsoft.Extensions.Hosting;

namespace LoadBalancer.Hosting;

/// <summary>Ties the life of the admin listener to that of its host: up before the balancer, and down after it.</summary>
internal sealed class AdminHostedService(AdminServer server) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => server.StartAsync();

    public Task StopAsync(CancellationToken cancellationToken) => server.StopAsync();
}
