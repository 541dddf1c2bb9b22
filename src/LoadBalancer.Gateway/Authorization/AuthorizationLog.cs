using Microsoft.Extensions.Logging;

namespace LoadBalancer.Gateway.Authorization;

/// <summary>Log events of authorization: 2500 to 2599.</summary>
internal static partial class AuthorizationLog
{
    [LoggerMessage(EventId = 2500, Level = LogLevel.Information, Message = "the roles of policy {Policy} ({File}) were replaced: {Count} roles")]
    internal static partial void RolesReplaced(ILogger logger, string policy, string file, int count);

    [LoggerMessage(EventId = 2501, Level = LogLevel.Warning, Message = "the roles of policy {Policy} ({File}) have changed and cannot be used, the {Count} roles before stay in use: the file {Problem}")]
    internal static partial void RolesRefused(ILogger logger, string policy, string file, int count, string problem);

    [LoggerMessage(EventId = 2502, Level = LogLevel.Information, Message = "the roles of policy {Policy} ({File}) are again those in use")]
    internal static partial void RolesRestored(ILogger logger, string policy, string file);

    [LoggerMessage(EventId = 2503, Level = LogLevel.Error, Message = "the roles of policy {Policy} could not be looked at; those in use stay")]
    internal static partial void LookFailed(ILogger logger, string policy, Exception exception);

    [LoggerMessage(EventId = 2510, Level = LogLevel.Warning, Message = "policy {Policy} gets no decisions: {Problem}")]
    internal static partial void Unavailable(ILogger logger, string policy, string problem);

    [LoggerMessage(EventId = 2511, Level = LogLevel.Information, Message = "policy {Policy} gets decisions again")]
    internal static partial void Available(ILogger logger, string policy);
}
