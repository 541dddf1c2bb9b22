using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Redis;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Hosting;

/// <summary>Shares limits with other balancers while the server runs. The start waits for no Redis.</summary>
internal sealed class SharedLimitsHostedService(IServiceProvider services, LoadBalancerOptions options, RedisConfig config) : IHostedService, IAsyncDisposable
{
    private RedisLimits? _limits;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        ProxyServer server = services.GetRequiredService<ProxyServer>(); // not in the constructor: a bad configuration is to fail the start
        _limits = new RedisLimits(
            OptionsOf(config),
            [.. server.SharedBuckets.Select(shared => new SharedLimit(shared.Name, shared.Bucket))],
            services.GetRequiredService<ILoggerFactory>().CreateLogger<RedisLimits>(),
            options.TimeProvider ?? services.GetService<TimeProvider>());
        _limits.Start();
        return Task.CompletedTask;
    }

    internal static RedisOptions OptionsOf(RedisConfig config) => new()
    {
        Endpoints = config.Endpoints,
        Secret = config.Secret,
        User = config.User,
        Password = config.Password,
        Database = config.Database,
        Tls = config.Tls,
        TlsName = config.TlsName,
        TlsAuthority = config.Ca,
        KeyPrefix = config.KeyPrefix,
        SyncInterval = config.SyncInterval,
        Timeout = config.Timeout,
    };

    public Task StopAsync(CancellationToken cancellationToken) => DisposeAsync().AsTask();

    public async ValueTask DisposeAsync()
    {
        RedisLimits? limits = _limits;
        _limits = null;
        if (limits is not null) await limits.DisposeAsync().ConfigureAwait(false);
    }
}
