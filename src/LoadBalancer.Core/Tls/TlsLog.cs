using Microsoft.Extensions.Logging;

namespace LoadBalancer.Core.Tls;

/// <summary>Log events of certificates: 1100 to 1199.</summary>
internal static partial class TlsLog
{
    [LoggerMessage(EventId = 1100, Level = LogLevel.Information, Message = "certificate {File} (listener {Listeners}) was replaced: {Names}, until {ExpiresAt:u}")]
    internal static partial void Replaced(ILogger logger, string file, string listeners, string names, DateTimeOffset expiresAt);

    [LoggerMessage(EventId = 1101, Level = LogLevel.Warning, Message = "certificate {File} (listener {Listeners}) has changed and cannot be used, the one before stays in use: it {Problem}")]
    internal static partial void Refused(ILogger logger, string file, string listeners, string problem);

    [LoggerMessage(EventId = 1102, Level = LogLevel.Information, Message = "certificate {File} (listener {Listeners}) is again the one in use")]
    internal static partial void Restored(ILogger logger, string file, string listeners);

    [LoggerMessage(EventId = 1103, Level = LogLevel.Error, Message = "certificates could not be looked at or replaced; those in use stay")]
    internal static partial void LookFailed(ILogger logger, Exception exception);

    [LoggerMessage(EventId = 1110, Level = LogLevel.Warning, Message = "certificate {File} (listener {Listeners}; {Names}) is valid from {NotBefore:u} on only: clients refuse it until then")]
    internal static partial void NotYetValid(ILogger logger, string file, string listeners, string names, DateTimeOffset notBefore);

    [LoggerMessage(EventId = 1111, Level = LogLevel.Warning, Message = "certificate {File} (listener {Listeners}; {Names}) expires in {Left}, at {ExpiresAt:u}")]
    internal static partial void ExpiresSoon(ILogger logger, string file, string listeners, string names, string left, DateTimeOffset expiresAt);

    [LoggerMessage(EventId = 1112, Level = LogLevel.Error, Message = "certificate {File} (listener {Listeners}; {Names}) expires in {Left}, at {ExpiresAt:u}: renew it now")]
    internal static partial void ExpiresVerySoon(ILogger logger, string file, string listeners, string names, string left, DateTimeOffset expiresAt);

    [LoggerMessage(EventId = 1113, Level = LogLevel.Critical, Message = "certificate {File} (listener {Listeners}; {Names}) has expired at {ExpiresAt:u}: clients refuse it")]
    internal static partial void Expired(ILogger logger, string file, string listeners, string names, DateTimeOffset expiresAt);

    [LoggerMessage(EventId = 1114, Level = LogLevel.Warning, Message = "certificate {File} (listener {Listeners}): {Fault}")]
    internal static partial void Stapling(ILogger logger, string file, string listeners, string fault);
}
