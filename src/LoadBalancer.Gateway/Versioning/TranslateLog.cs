using Microsoft.Extensions.Logging;

namespace LoadBalancer.Gateway.Versioning;

/// <summary>What translation has to say to an operator.</summary>
internal static partial class TranslateLog
{
    [LoggerMessage(EventId = 2341, Level = LogLevel.Warning, Message = "The policy {Policy} could not translate a response of {Operation}, so the client got 502: {Problem}. {More} others since this was said last")]
    internal static partial void Untranslatable(ILogger logger, string policy, string operation, string problem, long more);
}
