using LoadBalancer.Acme;
using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Hosting.Reloading;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Hosting;

/// <summary>
/// Shows stored certificates before the listeners open, and orders once they are open: the authority comes to them. The start waits for no authority. An
/// <see cref="IAcmeObserver"/> of the container is told.
/// </summary>
internal sealed class AcmeHostedService(IServiceProvider services, LoadBalancerOptions options) : IHostedLifecycleService, IConfigFollower, IAsyncDisposable
{
    private CertificateService? _certificates;

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (options.Config.Acme is not null) Load();
        return Task.CompletedTask;
    }

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        _certificates?.Start();
        return Task.CompletedTask;
    }

    public string Subject => "certificates from an authority (acme)";

    public async Task FollowAsync(ProxyConfig? before, ProxyConfig after)
    {
        // Which names are wanted, and how they are validated, follows from the listeners.
        if (before is not null && before.Acme == after.Acme && (after.Acme is null || Equals(before.Listeners, after.Listeners))) return;
        await EndAsync().ConfigureAwait(false);
        if (after.Acme is null) return;
        Load();
        _certificates!.Start();
    }

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => EndAsync();

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async ValueTask DisposeAsync() => await EndAsync().ConfigureAwait(false);

    private void Load()
    {
        _certificates = new CertificateService(services.GetRequiredService<ProxyServer>(), services.GetRequiredService<ILoggerFactory>(), new AcmeOptions
        {
            Observer = services.GetService<IAcmeObserver>(),
            TimeProvider = options.TimeProvider ?? services.GetService<TimeProvider>(),
        });
        _certificates.Load();
    }

    private async Task EndAsync()
    {
        CertificateService? certificates = _certificates;
        _certificates = null;
        if (certificates is not null) await certificates.DisposeAsync().ConfigureAwait(false);
    }
}
