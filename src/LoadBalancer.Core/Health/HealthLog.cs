using Microsoft.Extensions.Logging;

namespace LoadBalancer.Core.Health;

internal static partial class HealthLog
{
    [LoggerMessage(EventId = 2001, Level = LogLevel.Warning, Message = "cluster {Cluster}: destination {Destination} is unhealthy: {Failure}")]
    internal static partial void Unhealthy(ILogger logger, string cluster, string destination, string failure);

    [LoggerMessage(EventId = 2002, Level = LogLevel.Information, Message = "cluster {Cluster}: destination {Destination} is healthy")]
    internal static partial void Healthy(ILogger logger, string cluster, string destination);

    [LoggerMessage(EventId = 2003, Level = LogLevel.Warning, Message = "cluster {Cluster}: destination {Destination} is ejected: too many of its requests fail")]
    internal static partial void Ejected(ILogger logger, string cluster, string destination);

    [LoggerMessage(EventId = 2004, Level = LogLevel.Information, Message = "cluster {Cluster}: the ejection of destination {Destination} has ended")]
    internal static partial void EjectionEnded(ILogger logger, string cluster, string destination);
}
