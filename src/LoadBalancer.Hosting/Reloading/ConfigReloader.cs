using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Tls;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Hosting.Reloading;

/// <summary>
/// Has a running balancer go by another configuration: the server, and what goes by the configuration beside it, such as discovery, certificates from an authority, shared limits
/// and the access log. In the container of <c>AddLoadBalancer</c>. Thread-safe: one after the other.
/// </summary>
public sealed class ConfigReloader : IDisposable
{
    private readonly ProxyServer _server;
    private readonly IReadOnlyList<IConfigFollower> _followers;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _one = new(1);

    internal ConfigReloader(ProxyServer server, IEnumerable<IConfigFollower> followers, ILogger<ConfigReloader> logger)
    {
        _server = server;
        _followers = [.. followers];
        _logger = logger;
    }

    /// <summary>Applies a configuration, as <see cref="ProxyServer.ReloadAsync"/> does.</summary>
    /// <exception cref="ConfigException">It has problems; nothing has changed.</exception>
    /// <exception cref="ListenException">An address cannot be bound; nothing has changed.</exception>
    /// <exception cref="InvalidOperationException">The server is not running.</exception>
    public async Task<ReloadResult> ApplyAsync(ProxyConfig config, CancellationToken cancellationToken = default)
    {
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ProxyConfig before = _server.Config;
            ReloadResult result = await _server.ReloadAsync(config).ConfigureAwait(false);
            if (!result.HasChanged) return result;
            foreach (IConfigFollower follower in _followers)
            {
                try
                {
                    await follower.FollowAsync(before, _server.Config).ConfigureAwait(false);
                }
                catch (Exception e) when (e is not OutOfMemoryException)
                {
                    _logger.FollowFailed(follower.GetType().Name, e); // the configuration is in use by now; what is beside it does not take that back
                }
            }
            return result;
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Says what <see cref="ApplyAsync"/> would change. Addresses are not bound for that.</summary>
    /// <exception cref="ConfigException">It has problems.</exception>
    public ReloadResult TryOut(ProxyConfig config) => _server.TryOut(config);

    /// <inheritdoc/>
    public void Dispose() => _one.Dispose();
}
