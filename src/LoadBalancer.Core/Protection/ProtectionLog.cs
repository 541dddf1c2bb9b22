using Microsoft.Extensions.Logging;

namespace LoadBalancer.Core.Protection;

/// <summary>Log events of keeping clients out: 1400 to 1499.</summary>
internal static partial class ProtectionLog
{
    [LoggerMessage(EventId = 1400, Level = LogLevel.Information, Message = "address list {List} ({File}) was replaced: {Count} blocks")]
    internal static partial void Replaced(ILogger logger, string list, string file, int count);

    [LoggerMessage(EventId = 1401, Level = LogLevel.Warning, Message = "address list {List} ({File}) has changed and cannot be used, the {Count} blocks before stay in use: the file {Problem}")]
    internal static partial void Refused(ILogger logger, string list, string file, int count, string problem);

    [LoggerMessage(EventId = 1402, Level = LogLevel.Information, Message = "address list {List} ({File}) is again the one in use")]
    internal static partial void Restored(ILogger logger, string list, string file);

    [LoggerMessage(EventId = 1403, Level = LogLevel.Error, Message = "address lists could not be looked at; those in use stay")]
    internal static partial void LookFailed(ILogger logger, Exception exception);

    [LoggerMessage(EventId = 1410, Level = LogLevel.Information, Message = "{Block} was banned until {Until}: {Reason}")]
    internal static partial void Banned(ILogger logger, string block, string until, string reason);

    [LoggerMessage(EventId = 1411, Level = LogLevel.Warning, Message = "{Block} could not be banned ({Reason}): there are {Count} bans, the most there may be")]
    internal static partial void NotBanned(ILogger logger, string block, string reason, int count);

    [LoggerMessage(EventId = 1412, Level = LogLevel.Information, Message = "{Block} would have been banned until {Until} without dryRun: {Reason}")]
    internal static partial void WouldBeBanned(ILogger logger, string block, string until, string reason);
}
