using Microsoft.Extensions.Logging;

namespace LoadBalancer.Discovery;

/// <summary>Log events of discovery: 6100 to 6199.</summary>
internal static partial class DiscoveryLog
{
    [LoggerMessage(EventId = 6100, Level = LogLevel.Information, Message = "cluster {Cluster}: {Source}: destinations now {Count} ({Added} came, {Removed} left)")]
    internal static partial void Changed(ILogger logger, string cluster, string source, int count, int added, int removed);

    [LoggerMessage(EventId = 6101, Level = LogLevel.Warning, Message = "cluster {Cluster}: {Source}: {Problem}; kept from before: {Count}")]
    internal static partial void Problem(ILogger logger, string cluster, string source, string problem, int count);

    [LoggerMessage(EventId = 6102, Level = LogLevel.Information, Message = "cluster {Cluster}: {Source}: is well again")]
    internal static partial void Recovered(ILogger logger, string cluster, string source);

    [LoggerMessage(EventId = 6103, Level = LogLevel.Error, Message = "cluster {Cluster}: {Source}: internal error; it is tried again")]
    internal static partial void InternalError(ILogger logger, string cluster, string source, Exception exception);
}
