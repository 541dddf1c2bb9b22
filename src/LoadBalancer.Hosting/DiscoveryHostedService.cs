using LoadBalancer.Core.Configuration;
using LoadBalancer.Discovery;
using LoadBalancer.Hosting.Reloading;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace LoadBalancer.Hosting;

/// <summary>Starts <see cref="FleetDiscovery"/> before the listeners open, so that they open, if names are answered in time, to a fleet that is known.</summary>
internal sealed class DiscoveryHostedService(IServiceProvider services) : IHostedService, IConfigFollower
{
    // A name that is not answered may delay the start by this, never fail it.
    private static readonly TimeSpan FirstAnswerMax = TimeSpan.FromSeconds(1);
    private FleetDiscovery? _discovery;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _discovery = services.GetRequiredService<FleetDiscovery>(); // not in the constructor: a bad configuration is to fail the start, as it does without discovery
        TimeProvider? time = services.GetRequiredService<LoadBalancerOptions>().TimeProvider ?? services.GetService<TimeProvider>();
        Task patience = Task.Delay(FirstAnswerMax, time ?? TimeProvider.System, cancellationToken);
        await Task.WhenAny(_discovery.StartAsync(), patience).ConfigureAwait(false);
    }

    public string Subject => "discovery";

    public Task FollowAsync(ProxyConfig? before, ProxyConfig after) => _discovery?.ReconfigureAsync(after) ?? Task.CompletedTask;

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_discovery is not null) await _discovery.DisposeAsync().ConfigureAwait(false);
    }
}
