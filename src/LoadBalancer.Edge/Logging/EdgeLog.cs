using Microsoft.Extensions.Logging;

namespace LoadBalancer.Edge.Logging;

/// <summary>Log events of the process: 5100 to 5199.</summary>
internal static partial class EdgeLog
{
    [LoggerMessage(EventId = 5100, Level = LogLevel.Warning, Message = "SIGHUP: reload is not available; restart to apply changes")]
    internal static partial void ReloadUnavailable(this ILogger logger);

    [LoggerMessage(EventId = 5101, Level = LogLevel.Warning, Message = "Second signal: requests in flight are cut")]
    internal static partial void Cutting(this ILogger logger);

    [LoggerMessage(EventId = 5102, Level = LogLevel.Warning, Message = "systemd cannot be told how the service is: {Reason}")]
    internal static partial void CannotNotify(this ILogger logger, string reason);
}
