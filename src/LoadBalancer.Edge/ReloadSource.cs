using LoadBalancer.Core.Configuration;
using LoadBalancer.Edge.Commands;
using LoadBalancer.Hosting.Configuration;
using LoadBalancer.Hosting.Reloading;

namespace LoadBalancer.Edge;

/// <summary>From where a running balancer reads its configuration again.</summary>
/// <param name="Location">A file, or a key of etcd.</param>
/// <param name="State">Of the file, taken before it was read for the start.</param>
/// <param name="IsWatched">Whether a file is looked at from time to time; a key of etcd always is followed.</param>
/// <param name="Adapt">What the command adds to what is read.</param>
internal sealed record ReloadSource(string Location, byte[] State, bool IsWatched, Func<ProxyConfig, ProxyConfig> Adapt)
{
    internal Task<ConfigReadResult> LoadAsync() => ConfigLocation.LoadAsync(Location);

    /// <summary>Follows the source, where that is wanted, until it is cancelled.</summary>
    internal async Task WatchAsync(ReloadService reloader, CancellationToken stopping)
    {
        if (EtcdConfigText.IsLocation(Location))
        {
            if (!EtcdConfigText.TryCreate(Location, environment: null, out EtcdConfigText? text, out string error)) throw new InvalidOperationException(error); // it was read at the start
            using (text) await reloader.WatchAsync(text, stopping);
        }
        else if (IsWatched) reloader.Watch(State);
    }
}
