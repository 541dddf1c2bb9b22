using System.Net;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Hosting;

/// <summary>Log events of hosting: 5000 to 5099.</summary>
internal static partial class HostingLog
{
    [LoggerMessage(EventId = 5000, Level = LogLevel.Information, Message = "Listener {Listener} is bound to {EndPoint}")]
    internal static partial void Listening(this ILogger logger, string listener, EndPoint endPoint);

    [LoggerMessage(EventId = 5001, Level = LogLevel.Information, Message = "Serving: transport {Transport}, {Loops} event loops")]
    internal static partial void Started(this ILogger logger, string transport, int loops);

    [LoggerMessage(EventId = 5002, Level = LogLevel.Information, Message = "Stopping: no new connections; requests in flight may finish")]
    internal static partial void Draining(this ILogger logger);

    [LoggerMessage(EventId = 5003, Level = LogLevel.Information, Message = "Stopped")]
    internal static partial void Stopped(this ILogger logger);

    [LoggerMessage(EventId = 5004, Level = LogLevel.Information, Message = "The admin listener is bound to {EndPoint}")]
    internal static partial void AdminListening(this ILogger logger, EndPoint endPoint);

    [LoggerMessage(EventId = 5005, Level = LogLevel.Information, Message = "There is no admin listener: {Reason}")]
    internal static partial void NoAdminListener(this ILogger logger, string reason);

    [LoggerMessage(EventId = 5006, Level = LogLevel.Information, Message = "Reloaded {File} for {Who}: {Changes}")]
    internal static partial void Reloaded(this ILogger logger, string file, string who, string changes);

    [LoggerMessage(EventId = 5007, Level = LogLevel.Warning, Message = "{Source} is away: {Problem}; the configuration stays what it is")]
    internal static partial void SourceIsAway(this ILogger logger, string source, string problem);

    [LoggerMessage(EventId = 5008, Level = LogLevel.Error, Message = "Refused to reload {File} for {Who}; nothing has changed: {Problems}")]
    internal static partial void ReloadRefused(this ILogger logger, string file, string who, string problems);

    [LoggerMessage(EventId = 5009, Level = LogLevel.Warning, Message = "Holds from the next start on only: {Paths}")]
    internal static partial void NeedsRestart(this ILogger logger, string paths);

    [LoggerMessage(EventId = 5010, Level = LogLevel.Error, Message = "What is in use is not whole: {Service} could not follow, and is tried again with the next reload")]
    internal static partial void FollowFailed(this ILogger logger, string service, Exception exception);

    [LoggerMessage(EventId = 5012, Level = LogLevel.Warning, Message = "Bounds are lower than configured, as memory is short: {Problem}")]
    internal static partial void MemoryIsShort(this ILogger logger, string problem);

    [LoggerMessage(EventId = 5011, Level = LogLevel.Error, Message = "Internal error while the configuration file was looked at")]
    internal static partial void LookFailed(this ILogger logger, Exception exception);
}
