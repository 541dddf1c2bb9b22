using LoadBalancer.Acme;
using LoadBalancer.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Hosting;

/// <summary>The part of AddLoadBalancer that has certificates from an authority.</summary>
internal static class AcmeServiceCollectionExtensions
{
    /// <summary>Adds <see cref="CertificateService"/>, which starts before what is added later. An <see cref="IAcmeObserver"/> of the container is told.</summary>
    internal static void AddAcme(this IServiceCollection services, LoadBalancerOptions options)
    {
        if (options.Config.Acme is null) return;
        services.AddSingleton(provider => new CertificateService(
            provider.GetRequiredService<ProxyServer>(), provider.GetRequiredService<ILoggerFactory>(), new AcmeOptions
            {
                Observer = provider.GetService<IAcmeObserver>(),
                TimeProvider = options.TimeProvider ?? provider.GetService<TimeProvider>(),
            }));
        services.AddHostedService<AcmeHostedService>();
    }
}
