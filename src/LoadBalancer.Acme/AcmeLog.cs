using Microsoft.Extensions.Logging;

namespace LoadBalancer.Acme;

/// <summary>Log events of ACME: 6200 to 6299.</summary>
internal static partial class AcmeLog
{
    [LoggerMessage(EventId = 6200, Level = LogLevel.Information, Message = "{Name}: certificate from the storage, until {NotAfter:u}")]
    internal static partial void Loaded(ILogger logger, string name, DateTimeOffset notAfter);

    [LoggerMessage(EventId = 6201, Level = LogLevel.Information, Message = "{Name}: certificate from {Authority}, until {NotAfter:u}; renewed in {NextIn}")]
    internal static partial void Issued(ILogger logger, string name, string authority, DateTimeOffset notAfter, TimeSpan nextIn);

    [LoggerMessage(EventId = 6202, Level = LogLevel.Warning, Message = "{Name}: no certificate from {Authority}: {Failure}: {Problem}; tried again in {NextIn}; {Shown}")]
    internal static partial void Failed(ILogger logger, string name, string authority, AcmeFailure failure, string problem, TimeSpan nextIn, string shown);

    [LoggerMessage(EventId = 6203, Level = LogLevel.Warning, Message = "{Problem}; another is had")]
    internal static partial void SetAside(ILogger logger, string problem);

    [LoggerMessage(EventId = 6204, Level = LogLevel.Error, Message = "{Name}: internal error; it is tried again")]
    internal static partial void InternalError(ILogger logger, string name, Exception exception);

    [LoggerMessage(EventId = 6205, Level = LogLevel.Warning, Message = "{Name}: the certificate is in use but could not be kept ({Problem}): the next start has to order another")]
    internal static partial void NotKept(ILogger logger, string name, string problem);

    [LoggerMessage(EventId = 6206, Level = LogLevel.Information, Message = "Account at {Authority}: {Url}")]
    internal static partial void AccountOpened(ILogger logger, string authority, string url);

    [LoggerMessage(EventId = 6207, Level = LogLevel.Warning, Message = "{Name}: the certificate is due for renewal when it is issued: is the clock right? Another is ordered in {NextIn}")]
    internal static partial void DueWhenIssued(ILogger logger, string name, TimeSpan nextIn);

    [LoggerMessage(EventId = 6208, Level = LogLevel.Warning, Message = "{Authority} did not take the new contact: {Failure}: {Problem}; orders go on, the next start tries again")]
    internal static partial void ContactNotChanged(ILogger logger, string authority, AcmeFailure failure, string problem);

    [LoggerMessage(EventId = 6209, Level = LogLevel.Warning, Message = "{Name}: who observes certificates failed; renewal goes on")]
    internal static partial void ObserverFailed(ILogger logger, string name, Exception exception);
}
