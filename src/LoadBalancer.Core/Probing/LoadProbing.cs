using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Health;
using LoadBalancer.Core.Upstream;

namespace LoadBalancer.Core.Probing;

/// <summary>How a cluster's destinations are asked for their load, and the prober of each loop.</summary>
internal sealed class LoadProbing
{
    private readonly LoadProber?[] _probers; // by loop; each element belongs to its loop's thread
    private readonly LoadProbeConfig _config;
    private readonly string? _host;

    internal LoadProbing(LoadProbeConfig config, string clusterHost, int loopCount)
    {
        _config = config;
        _host = ProbeExchange.HostOf(config.Host, clusterHost);
        _probers = new LoadProber?[loopCount];
        TimeoutMilliseconds = (long)config.Timeout.TotalMilliseconds;
    }

    internal int InFlightMax => _config.InFlightMax;
    internal long TimeoutMilliseconds { get; }

    /// <summary>The request that a destination is asked with.</summary>
    internal byte[] RequestFor(DestinationState destination)
    {
        if (destination.LoadProbeRequest is { } request && request.Probing == this) return request.Bytes;
        byte[] bytes = ProbeExchange.Request(_config.Path, _host, destination, "lb-load-probe", isLast: false);
        destination.LoadProbeRequest = new(this, bytes);
        return bytes;
    }

    /// <summary>A pick was made: the policy may want some destinations asked. That loop's thread.</summary>
    // Hot path: per attempt, in clusters that probe.
    internal void AfterPick(LoopContext context, ClusterSnapshot cluster) =>
        (_probers[context.Loop.Index] ?? Make(context, cluster)).AfterPick();

    /// <summary>What a destination is asked with, by one way of asking: another configuration may have another.</summary>
    internal sealed record Request(LoadProbing Probing, byte[] Bytes);

    private LoadProber Make(LoopContext context, ClusterSnapshot cluster) => _probers[context.Loop.Index] = new LoadProber(context, cluster, this);
}
