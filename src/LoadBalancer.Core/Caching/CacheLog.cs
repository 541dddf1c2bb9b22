using Microsoft.Extensions.Logging;

namespace LoadBalancer.Core.Caching;

/// <summary>Log events of caches: 1900 to 1999.</summary>
internal static partial class CacheLog
{
    [LoggerMessage(EventId = 1900, Level = LogLevel.Warning, Message = "cache {Cache}: {Fault}")]
    internal static partial void DiskFault(ILogger logger, string cache, string fault);

    [LoggerMessage(EventId = 1910, Level = LogLevel.Information, Message = "cache {Cache}: nothing is found or stored on disk while the process before has the folder: {Reason}")]
    internal static partial void DiskAwaited(ILogger logger, string cache, string reason);

    [LoggerMessage(EventId = 1911, Level = LogLevel.Information, Message = "cache {Cache}: has taken over what lies on disk")]
    internal static partial void DiskOpened(ILogger logger, string cache);
}
