using Microsoft.Extensions.Logging;

namespace LoadBalancer.Core.Tls;

internal static partial class UpstreamTlsLog
{
    [LoggerMessage(EventId = 3001, Level = LogLevel.Warning, Message = "cluster {Cluster}: no TLS connection to destination {Destination}: {Problem}")]
    internal static partial void Failed(ILogger logger, string cluster, string destination, string problem);

    [LoggerMessage(EventId = 3002, Level = LogLevel.Warning, Message = "cluster {Cluster}: the certificates of its destinations are not verified: anybody between here and there can read and change what is sent")]
    internal static partial void NotVerified(ILogger logger, string cluster);
}
