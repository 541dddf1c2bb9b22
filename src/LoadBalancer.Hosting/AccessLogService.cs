using LoadBalancer.AccessLog;
using LoadBalancer.Core;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Hosting.Reloading;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Hosting;

/// <summary>The access log that the configuration has, and beside it the observer of the embedding program. Made before the server, and so disposed of after it: the last requests are in the log.</summary>
public sealed class AccessLogService : IConfigFollower, IDisposable
{
    private readonly IServiceProvider _services;
    private readonly ICompletionObserver? _next;
    private readonly TimeProvider? _time;
    private AccessLogger? _logger;
    private long _dropped; // by those before

    internal AccessLogService(IServiceProvider services, LoadBalancerOptions options)
    {
        _services = services;
        _next = options.Observer ?? services.GetService<ICompletionObserver>();
        _time = options.TimeProvider ?? services.GetService<TimeProvider>();
        _logger = Create(options.Config);
    }

    /// <summary>Gets the records; null for nobody.</summary>
    internal ICompletionObserver? Observer => _logger ?? _next;

    /// <summary>Opens the log's file anew before the next lines, as whoever has renamed it wants. Nothing where there is no log.</summary>
    public void Reopen() => Volatile.Read(ref _logger)?.Reopen();

    string IConfigFollower.Subject => "the access log";

    async Task IConfigFollower.FollowAsync(ProxyConfig? before, ProxyConfig after)
    {
        if (before is not null && before.AccessLog == after.AccessLog) return;
        AccessLogger? old = _logger, next = Create(after, begins: false);
        Volatile.Write(ref _logger, next);
        await _services.GetRequiredService<ProxyServer>().SetObserverAsync(Observer).ConfigureAwait(false);
        old?.Dispose(); // nobody tells it anything any more
        _dropped = old?.Dropped ?? _dropped;
        next?.Begin(_dropped);
    }

    private AccessLogger? Create(ProxyConfig config, bool begins = true) => config.AccessLog is { } accessLog
        ? new AccessLogger(accessLog, _services.GetRequiredService<ILoggerFactory>(), _next, _time ?? TimeProvider.System, sink: null, begins) : null;

    /// <inheritdoc/>
    public void Dispose() => _logger?.Dispose();
}
