using LoadBalancer.Acme;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace LoadBalancer.Hosting;

/// <summary>Shows stored certificates before the listeners open, and orders once they are open: the authority comes to them. The start waits for no authority.</summary>
internal sealed class AcmeHostedService(IServiceProvider services) : IHostedLifecycleService
{
    private CertificateService? _certificates;

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _certificates = services.GetRequiredService<CertificateService>(); // not in the constructor: a bad configuration is to fail the start
        _certificates.Load();
        return Task.CompletedTask;
    }

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        _certificates!.Start();
        return Task.CompletedTask;
    }

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_certificates is not null) await _certificates.DisposeAsync().ConfigureAwait(false);
    }

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
