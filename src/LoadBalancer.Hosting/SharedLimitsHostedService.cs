using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Gateway;
using LoadBalancer.Hosting.Reloading;
using LoadBalancer.Limiting.Rates;
using LoadBalancer.Redis;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Hosting;

/// <summary>Shares limits with other balancers while the server runs. The start waits for no Redis.</summary>
internal sealed class SharedLimitsHostedService(IServiceProvider services, LoadBalancerOptions options) : IHostedService, IConfigFollower, IAsyncDisposable
{
    private RedisLimits? _limits;
    private (string Name, TokenBucket Bucket)[] _shared = [];

    public Task StartAsync(CancellationToken cancellationToken)
    {
        Begin(options.Config.Redis);
        return Task.CompletedTask;
    }

    public string Subject => "shared limits";

    public async Task FollowAsync(ProxyConfig? before, ProxyConfig after)
    {
        if (before is not null && before.Redis == after.Redis && Server.SharedBuckets.SequenceEqual(_shared)) return;
        await DisposeAsync().ConfigureAwait(false);
        Begin(after.Redis);
    }

    private ProxyServer Server => services.GetRequiredService<ProxyServer>(); // not in the constructor: a bad configuration is to fail the start

    private void Begin(RedisConfig? config)
    {
        if (config is null) return;
        _shared = [.. Server.SharedBuckets];
        _limits = new RedisLimits(
            RedisConnection.OptionsOf(config),
            [.. _shared.Select(shared => new SharedLimit(shared.Name, shared.Bucket))],
            services.GetRequiredService<ILoggerFactory>().CreateLogger<RedisLimits>(),
            options.TimeProvider ?? services.GetService<TimeProvider>());
        _limits.Start();
    }

    public Task StopAsync(CancellationToken cancellationToken) => DisposeAsync().AsTask();

    public async ValueTask DisposeAsync()
    {
        RedisLimits? limits = _limits;
        _limits = null;
        if (limits is not null) await limits.DisposeAsync().ConfigureAwait(false);
    }
}
