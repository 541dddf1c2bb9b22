using System.Text;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Upstream;

namespace LoadBalancer.Core.Health;

/// <summary>How the destinations of a cluster are probed: the validated form of <see cref="HealthCheckConfig"/>. Immutable.</summary>
internal sealed class HealthCheck
{
    private readonly string? _host;

    internal HealthCheck(HealthCheckConfig config, string clusterHost)
    {
        Config = config;
        _host = ProbeExchange.HostOf(config.Host, clusterHost);
        Statuses = StatusSet.TryParse(config.Status, out StatusSet? set) ? set : throw new FormatException("status");
        Body = config.Body is null ? null : Encoding.UTF8.GetBytes(config.Body);
        TimeoutMilliseconds = (long)config.Timeout.TotalMilliseconds;
    }

    internal HealthCheckConfig Config { get; }
    internal StatusSet Statuses { get; }

    /// <summary>What must stand in the body; null when it is not read.</summary>
    internal byte[]? Body { get; }
    internal long TimeoutMilliseconds { get; }

    /// <summary>The request that a destination is probed with.</summary>
    internal byte[] RequestFor(DestinationState destination) => ProbeExchange.Request(Config.Path, _host, destination, "lb-health-check", isLast: true);
}
