using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Gateway.Authorization;
using LoadBalancer.Gateway.Authorization.Lookups;
using LoadBalancer.Redis;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace LoadBalancer.Hosting;

/// <summary>Gives policies the Redis in which they look permissions up. The start waits for no Redis.</summary>
internal sealed class PermissionsHostedService(IServiceProvider services, LoadBalancerOptions options, RedisConfig config) : IHostedService, IAsyncDisposable
{
    private RedisPermissions? _permissions;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        AuthorizePolicy[] asking = [.. services.GetRequiredService<ProxyServer>().Snapshot.Policies.OfType<AuthorizePolicy>().Where(policy => policy.NeedsRedis)];
        if (asking.Length == 0) return Task.CompletedTask;
        _permissions = new RedisPermissions(SharedLimitsHostedService.OptionsOf(config), options.TimeProvider ?? services.GetService<TimeProvider>());
        _permissions.Start();
        foreach (AuthorizePolicy policy in asking) policy.Connect(_permissions);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask; // requests that drain still ask

    public async ValueTask DisposeAsync()
    {
        RedisPermissions? permissions = _permissions;
        _permissions = null;
        if (permissions is not null) await permissions.DisposeAsync().ConfigureAwait(false);
    }
}
