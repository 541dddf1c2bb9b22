using Microsoft.Extensions.Logging;

namespace LoadBalancer.Core;

internal static partial class ServerLog
{
    [LoggerMessage(EventId = 1001, Level = LogLevel.Error, Message = "internal error; the request it hit was cut")]
    internal static partial void InternalError(ILogger logger, Exception exception);

    [LoggerMessage(EventId = 1002, Level = LogLevel.Warning, Message = "drain limit reached: {Connections} connections are cut")]
    internal static partial void DrainCut(ILogger logger, int connections);
}
