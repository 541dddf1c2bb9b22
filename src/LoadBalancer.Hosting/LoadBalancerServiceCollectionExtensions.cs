using LoadBalancer.Admin;
using LoadBalancer.Core;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Upstream;
using LoadBalancer.Discovery;
using LoadBalancer.Hosting.Configuration;
using LoadBalancer.Hosting.Reloading;
using LoadBalancer.Hosting.Tracing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Hosting;

/// <summary>Adds the balancer to a generic host. It starts and stops with the host, beside whatever else runs there.</summary>
public static class LoadBalancerServiceCollectionExtensions
{
    /// <summary>Adds the balancer with options set in code. Once per host: a configuration can have many listeners.</summary>
    /// <exception cref="InvalidOperationException">It was added before.</exception>
    public static IServiceCollection AddLoadBalancer(this IServiceCollection services, Action<LoadBalancerOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        if (services.Any(s => s.ServiceType == typeof(ProxyServer)))
            throw new InvalidOperationException("AddLoadBalancer was called twice; put all listeners into one configuration");

        var options = new LoadBalancerOptions();
        configure(options);
        services.AddSingleton(options);
        services.AddSingleton(provider => new AccessLogService(provider, options));
        if (options.Config.Tracing is { } tracing) services.AddSingleton(_ => new TraceExport(tracing));
        services.AddSingleton(provider => CreateServer(provider, options));
        services.AddDiscovery(options);
        // Before the server's: a host stops in reverse order, and the drain is to be seen.
        if (options.Config.Admin is { } admin)
        {
            services.AddSingleton(provider => new AdminServer(
                provider.GetRequiredService<ProxyServer>(),
                admin,
                provider.GetRequiredService<ILoggerFactory>(),
                options.TimeProvider ?? provider.GetService<TimeProvider>()) { ConfigWriter = EffectiveConfig.Write });
            services.AddHostedService<AdminHostedService>();
        }
        AddFollower(services, provider => new PermissionsHostedService(provider, options));
        AddFollower(services, provider => new AcmeHostedService(provider, options));
        AddFollower(services, provider => new SharedLimitsHostedService(provider, options));
        services.AddSingleton<IConfigFollower>(provider => provider.GetRequiredService<AccessLogService>());
        services.AddSingleton(provider => new ConfigReloader(provider.GetRequiredService<ProxyServer>(), provider.GetServices<IConfigFollower>(), provider.GetRequiredService<ILogger<ConfigReloader>>()));
        services.AddHostedService(provider => new ProxyHostedService(provider.GetRequiredService<ProxyServer>(), options, provider.GetRequiredService<ILogger<ProxyServer>>()));
        return services;
    }

    // One object, started with the host and told of other configurations.
    internal static void AddFollower<T>(IServiceCollection services, Func<IServiceProvider, T> make) where T : class, IHostedService, IConfigFollower
    {
        services.AddSingleton(make);
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<T>());
        services.AddSingleton<IConfigFollower>(provider => provider.GetRequiredService<T>());
    }

    private static ProxyServer CreateServer(IServiceProvider provider, LoadBalancerOptions options)
    {
        _ = provider.GetService<TraceExport>(); // listens before there is anything to hear
        return new ProxyServer(
            MemoryBounds.Fit(options.Config),
            provider.GetRequiredService<ILoggerFactory>(),
            provider.GetRequiredService<AccessLogService>().Observer,
            options.TimeProvider ?? provider.GetService<TimeProvider>(),
            provider.GetService<INameResolver>() ?? provider.GetRequiredService<DnsResolver>());
    }

    /// <summary>Adds the balancer with a configuration made in code; it is validated when the host starts.</summary>
    /// <exception cref="InvalidOperationException">It was added before.</exception>
    public static IServiceCollection AddLoadBalancer(this IServiceCollection services, ProxyConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        return services.AddLoadBalancer(options => options.Config = config);
    }

    /// <summary>Adds the balancer with a configuration file, which is read and validated now.</summary>
    /// <exception cref="ConfigFileException">The file is missing, unreadable or has problems; all of them are listed with line and column.</exception>
    /// <exception cref="InvalidOperationException">It was added before.</exception>
    public static IServiceCollection AddLoadBalancerFromFile(this IServiceCollection services, string path)
    {
        ConfigReadResult result = ConfigFile.Load(path);
        if (result.Config is null) throw new ConfigFileException(result.Problems);
        return services.AddLoadBalancer(result.Config);
    }
}
