using Microsoft.Extensions.Logging;

namespace LoadBalancer.Edge.Logging;

/// <summary>Log events of the process: 5100 to 5199.</summary>
internal static partial class EdgeLog
{
    [LoggerMessage(EventId = 5100, Level = LogLevel.Warning, Message = "SIGHUP: there is no configuration file to read again")]
    internal static partial void ReloadUnavailable(this ILogger logger);

    [LoggerMessage(EventId = 5101, Level = LogLevel.Warning, Message = "Second signal: requests in flight are cut")]
    internal static partial void Cutting(this ILogger logger);

    [LoggerMessage(EventId = 5102, Level = LogLevel.Warning, Message = "systemd cannot be told how the service is: {Reason}")]
    internal static partial void CannotNotify(this ILogger logger, string reason);

    [LoggerMessage(EventId = 5103, Level = LogLevel.Warning, Message = "No process can take over by {Path}: {Reason}")]
    internal static partial void NoHandover(this ILogger logger, string path, string reason);

    [LoggerMessage(EventId = 5104, Level = LogLevel.Warning, Message = "A process that was to take over went away before it served; this one goes on")]
    internal static partial void HandoverGivenUp(this ILogger logger);

    [LoggerMessage(EventId = 5105, Level = LogLevel.Information, Message = "Upgrade for {Who}: {Result}")]
    internal static partial void Upgraded(this ILogger logger, string who, string result);

    [LoggerMessage(EventId = 5106, Level = LogLevel.Information, Message = "Process {Process} serves now; this one answers what it has, and ends")]
    internal static partial void TakenOver(this ILogger logger, int process);

    [LoggerMessage(EventId = 5107, Level = LogLevel.Warning, Message = "Sockets that were handed over are not in the configuration, and were closed: {Addresses}")]
    internal static partial void SocketsLeft(this ILogger logger, string addresses);

    [LoggerMessage(EventId = 5108, Level = LogLevel.Error, Message = "The process before goes on: it gave this one up, or they do not understand each other; this one finishes what it has, and ends")]
    internal static partial void NotTakenOver(this ILogger logger);

    [LoggerMessage(EventId = 5109, Level = LogLevel.Warning, Message = "SIGHUP: another process is about to take over, and has read the configuration already; send it again")]
    internal static partial void ReloadWhileHandingOver(this ILogger logger);

    [LoggerMessage(EventId = 5110, Level = LogLevel.Warning, Message = "The file of a socket that is served no longer stays: {Path}: {Reason}")]
    internal static partial void SocketFileStays(this ILogger logger, string path, string reason);

    [LoggerMessage(EventId = 5111, Level = LogLevel.Error, Message = "What the process before was told last does not hold here")]
    internal static partial void StateNotTaken(this ILogger logger, Exception exception);
}
