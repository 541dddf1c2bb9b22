using Microsoft.Extensions.Logging;

namespace LoadBalancer.Identity;

internal static partial class IdentityLog
{
    [LoggerMessage(EventId = 7001, Level = LogLevel.Information, Message = "{Name}: taken.")]
    internal static partial void Taken(ILogger logger, string name);

    [LoggerMessage(EventId = 7002, Level = LogLevel.Warning, Message = "{Name} cannot be used: {Problem}; {Instead}.")]
    internal static partial void NotTaken(ILogger logger, string name, string problem, string instead);

    [LoggerMessage(EventId = 7003, Level = LogLevel.Information, Message = "{Name} can be had again, and is unchanged.")]
    internal static partial void Recovered(ILogger logger, string name);

    [LoggerMessage(EventId = 7004, Level = LogLevel.Warning, Message = "{Name}: what was last good is too old and is no longer used.")]
    internal static partial void TooOld(ILogger logger, string name);
}
