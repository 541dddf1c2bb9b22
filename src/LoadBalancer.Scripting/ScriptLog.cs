using Microsoft.Extensions.Logging;

namespace LoadBalancer.Scripting;

/// <summary>Log events of scripts: 2200 to 2299.</summary>
internal static partial class ScriptLog
{
    [LoggerMessage(EventId = 2200, Message = "script {Policy}: {Line}")]
    internal static partial void Console(ILogger logger, LogLevel level, string policy, string line);

    [LoggerMessage(EventId = 2201, Level = LogLevel.Warning, Message = "script {Policy}: {Count} lines were left out, there were too many in a second")]
    internal static partial void LinesLeftOut(ILogger logger, string policy, long count);

    [LoggerMessage(EventId = 2202, Level = LogLevel.Error, Message = "script {Policy}: {Hook} has failed at {Location}: {Problem}")]
    internal static partial void Failed(ILogger logger, string policy, string hook, string location, string problem);

    [LoggerMessage(EventId = 2203, Level = LogLevel.Information, Message = "script {Policy} ({File}) was replaced: {Count} files")]
    internal static partial void Replaced(ILogger logger, string policy, string file, int count);

    [LoggerMessage(EventId = 2204, Level = LogLevel.Warning, Message = "script {Policy} ({File}) has changed and cannot be used, the one before stays in use: the file {Problem}")]
    internal static partial void Refused(ILogger logger, string policy, string file, string problem);

    [LoggerMessage(EventId = 2205, Level = LogLevel.Information, Message = "script {Policy} ({File}) is again the one in use")]
    internal static partial void Restored(ILogger logger, string policy, string file);

    [LoggerMessage(EventId = 2206, Level = LogLevel.Error, Message = "scripts could not be looked at; those in use stay")]
    internal static partial void LookFailed(ILogger logger, Exception exception);

    [LoggerMessage(EventId = 2207, Level = LogLevel.Warning, Message = "script {Policy}: {Variables}: a variable of a module keeps its value from one request to another, as long as both meet in one engine; use const, kv or \"isolate\"")]
    internal static partial void HasVariables(ILogger logger, string policy, string variables);
}
