using Microsoft.Extensions.Logging;

namespace LoadBalancer.Redis;

/// <summary>Log events of shared limits: 6400 to 6499.</summary>
internal static partial class RedisLog
{
    [LoggerMessage(EventId = 6400, Level = LogLevel.Information, Message = "limits are shared with other nodes by Redis at {Endpoints}")]
    internal static partial void Shared(ILogger logger, string endpoints);

    [LoggerMessage(EventId = 6401, Level = LogLevel.Warning, Message = "limits are not shared: Redis at {Endpoints}: {Problem}; this node limits by what it knows itself")]
    internal static partial void Alone(ILogger logger, string endpoints, string problem);

    [LoggerMessage(EventId = 6402, Level = LogLevel.Error, Message = "limits are not shared: internal error; it is tried again")]
    internal static partial void InternalError(ILogger logger, Exception exception);
}
