using Microsoft.Extensions.Logging;

namespace LoadBalancer.AccessLog;

internal static partial class AccessLogMessages
{
    [LoggerMessage(1, LogLevel.Warning, "Access log: {Count} lines were dropped")]
    internal static partial void LinesDropped(this ILogger logger, long count);

    [LoggerMessage(3, LogLevel.Warning, "Access log: {Path} takes nothing; what is left is not written")]
    internal static partial void TargetStuck(this ILogger logger, string path);

    [LoggerMessage(2, LogLevel.Error, "Access log: {Path} cannot be written: {Problem}")]
    internal static partial void LogNotWritten(this ILogger logger, string path, string problem);
}
