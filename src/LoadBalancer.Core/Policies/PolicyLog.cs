using Microsoft.Extensions.Logging;

namespace LoadBalancer.Core.Policies;

/// <summary>What policies have to say to an operator.</summary>
internal static partial class PolicyLog
{
    [LoggerMessage(EventId = 2301, Level = LogLevel.Error, Message = "The policy {Policy} of route {Route} has failed, so the request got an error")]
    internal static partial void PolicyFailed(ILogger logger, string policy, string route, Exception exception);

    [LoggerMessage(EventId = 2302, Level = LogLevel.Error, Message = "What the policies of route {Route} made of a message is none that can be sent ({Rejection}), so the request got an error")]
    internal static partial void Unsendable(ILogger logger, string route, Http.RejectionReason rejection);
}
