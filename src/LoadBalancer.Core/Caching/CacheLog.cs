using Microsoft.Extensions.Logging;

namespace LoadBalancer.Core.Caching;

/// <summary>Log events of caches: 1900 to 1999.</summary>
internal static partial class CacheLog
{
    [LoggerMessage(EventId = 1900, Level = LogLevel.Warning, Message = "cache {Cache}: {Fault}")]
    internal static partial void DiskFault(ILogger logger, string cache, string fault);
}
