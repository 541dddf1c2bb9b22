using Microsoft.Extensions.Logging;

namespace LoadBalancer.Gateway.Validation;

/// <summary>What validation has to say to an operator.</summary>
internal static partial class ValidationLog
{
    [LoggerMessage(EventId = 2351, Level = LogLevel.Information, Message = "The policy {Policy} uses {File} as it is now")]
    internal static partial void Replaced(ILogger logger, string policy, string file);

    [LoggerMessage(EventId = 2352, Level = LogLevel.Warning, Message = "The policy {Policy} goes on with what it had: {File} has changed and cannot be used: {Problem}")]
    internal static partial void Refused(ILogger logger, string policy, string file, string problem);

    [LoggerMessage(EventId = 2353, Level = LogLevel.Information, Message = "The policy {Policy}: {File} is again what is in use")]
    internal static partial void Restored(ILogger logger, string policy, string file);

    [LoggerMessage(EventId = 2354, Level = LogLevel.Error, Message = "The files of the policy {Policy} could not be looked at")]
    internal static partial void LookFailed(ILogger logger, string policy, Exception exception);
}
