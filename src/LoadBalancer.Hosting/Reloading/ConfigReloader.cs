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
    private readonly HashSet<IConfigFollower> _behind = []; // those that could not follow

    internal ConfigReloader(ProxyServer server, IEnumerable<IConfigFollower> followers, ILogger<ConfigReloader> logger)
    {
        _server = server;
        _followers = [.. followers];
        _logger = logger;
    }

    /// <summary>
    /// Applies a configuration, as <see cref="ProxyServer.ReloadAsync"/> does. What is beside the server and cannot follow is named in <see cref="ReloadResult.Failures"/>, and tried again with
    /// each further call, also where nothing has changed.
    /// </summary>
    /// <exception cref="ConfigException">It has problems; nothing has changed.</exception>
    /// <exception cref="ListenException">An address cannot be bound; nothing has changed.</exception>
    /// <exception cref="InvalidOperationException">The server is not running.</exception>
    public async Task<ReloadResult> ApplyAsync(ProxyConfig config, CancellationToken cancellationToken = default)
    {
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ProxyConfig before = _server.Config;
            ReloadResult result = await _server.ReloadAsync(MemoryBounds.Fit(config)).ConfigureAwait(false);
            if (result.HasChanged && MemoryBounds.Describe(config) is { } lowered) _logger.MemoryIsShort(lowered);
            var failures = new List<string>();
            foreach (IConfigFollower follower in _followers)
            {
                bool isBehind = _behind.Contains(follower);
                if (!result.HasChanged && !isBehind) continue;
                try
                {
                    await follower.FollowAsync(isBehind ? null : before, _server.Config).ConfigureAwait(false);
                    _behind.Remove(follower);
                }
                catch (Exception e) when (e is not OutOfMemoryException)
                {
                    _behind.Add(follower);
                    _logger.FollowFailed(follower.Subject, e); // the configuration is in use by now; what is beside it does not take that back
                    failures.Add($"{follower.Subject}: {e.Message}");
                }
            }
            return result with { Failures = failures };
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Says what <see cref="ApplyAsync"/> would change. Addresses are not bound for that.</summary>
    /// <exception cref="ConfigException">It has problems.</exception>
    public ReloadResult TryOut(ProxyConfig config) => _server.TryOut(MemoryBounds.Fit(config));

    /// <inheritdoc/>
    public void Dispose() => _one.Dispose();
}
