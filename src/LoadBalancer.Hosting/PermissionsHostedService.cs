using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Gateway;
using LoadBalancer.Gateway.Authorization;
using LoadBalancer.Gateway.Authorization.Lookups;
using LoadBalancer.Hosting.Reloading;
using LoadBalancer.Redis;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace LoadBalancer.Hosting;

/// <summary>Gives policies the Redis in which they look permissions up. The start waits for no Redis.</summary>
internal sealed class PermissionsHostedService(IServiceProvider services, LoadBalancerOptions options) : IHostedService, IConfigFollower, IAsyncDisposable
{
    private RedisPermissions? _permissions;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        Connect(options.Config.Redis);
        return Task.CompletedTask;
    }

    public string Subject => "permissions in Redis";

    public async Task FollowAsync(ProxyConfig? before, ProxyConfig after)
    {
        if (before is not null && before.Redis == after.Redis && _permissions is { } same)
        {
            foreach (AuthorizePolicy policy in Asking()) policy.Connect(same); // who asks already goes on by it
            return;
        }
        RedisPermissions? old = _permissions;
        _permissions = null;
        Connect(after.Redis);
        if (old is not null) await old.DisposeAsync().ConfigureAwait(false);
    }

    private AuthorizePolicy[] Asking() => [.. services.GetRequiredService<ProxyServer>().Snapshot.Policies.Values.OfType<AuthorizePolicy>().Where(policy => policy.NeedsRedis)];

    private void Connect(RedisConfig? config)
    {
        AuthorizePolicy[] asking = Asking();
        if (config is null || asking.Length == 0) return;
        _permissions = new RedisPermissions(RedisConnection.OptionsOf(config), options.TimeProvider ?? services.GetService<TimeProvider>());
        _permissions.Start();
        foreach (AuthorizePolicy policy in asking) policy.Connect(_permissions);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask; // requests that drain still ask

    public async ValueTask DisposeAsync()
    {
        RedisPermissions? permissions = _permissions;
        _permissions = null;
        if (permissions is not null) await permissions.DisposeAsync().ConfigureAwait(false);
    }
}
