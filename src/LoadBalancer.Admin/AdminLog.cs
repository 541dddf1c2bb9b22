using System.Net;
using LoadBalancer.Core.Configuration;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Admin;

/// <summary>Log events of the admin listener: 6000 to 6099. The time is the log's, who did it stands in each.</summary>
internal static partial class AdminLog
{
    [LoggerMessage(EventId = 6000, Level = LogLevel.Warning, Message = "the admin listener on {EndPoint} can be reached from other machines, in plain text: whoever reads the way there has the token")]
    internal static partial void NotLoopback(ILogger logger, EndPoint endPoint);

    [LoggerMessage(EventId = 6001, Level = LogLevel.Warning, Message = "admin request without the right token from {Who}")]
    internal static partial void WrongToken(ILogger logger, string who);

    [LoggerMessage(EventId = 6010, Level = LogLevel.Information, Message = "cluster {Cluster}: destination {Destination} at {Address} was registered by {Who} for {Lease}")]
    internal static partial void Registered(ILogger logger, string cluster, string destination, string address, string who, TimeSpan lease);

    [LoggerMessage(EventId = 6011, Level = LogLevel.Information, Message = "cluster {Cluster}: destination {Destination} was registered anew by {Who}, changed: {Config}")]
    internal static partial void Changed(ILogger logger, string cluster, string destination, string who, DestinationConfig config);

    [LoggerMessage(EventId = 6012, Level = LogLevel.Debug, Message = "cluster {Cluster}: the lease of destination {Destination} was renewed by {Who}")]
    internal static partial void Renewed(ILogger logger, string cluster, string destination, string who);

    [LoggerMessage(EventId = 6013, Level = LogLevel.Information, Message = "cluster {Cluster}: destination {Destination} was removed by {Who}")]
    internal static partial void Removed(ILogger logger, string cluster, string destination, string who);

    [LoggerMessage(EventId = 6014, Level = LogLevel.Warning, Message = "cluster {Cluster}: the lease of destination {Destination} has expired; it was not renewed for {Lease}")]
    internal static partial void Expired(ILogger logger, string cluster, string destination, TimeSpan lease);

    [LoggerMessage(EventId = 6015, Level = LogLevel.Information, Message = "cluster {Cluster}: destination {Destination} drains, asked by {Who}")]
    internal static partial void Draining(ILogger logger, string cluster, string destination, string who);

    [LoggerMessage(EventId = 6016, Level = LogLevel.Information, Message = "cluster {Cluster}: destination {Destination} is used again, asked by {Who}")]
    internal static partial void Enabled(ILogger logger, string cluster, string destination, string who);

    [LoggerMessage(EventId = 6017, Level = LogLevel.Error, Message = "cluster {Cluster}: its registered destinations could not be applied")]
    internal static partial void NotApplied(ILogger logger, string cluster, Exception exception);

    [LoggerMessage(EventId = 6018, Level = LogLevel.Warning, Message = "leases were not looked at for {Seconds} s, in which none could be renewed; all are extended by it")]
    internal static partial void Extended(ILogger logger, double seconds);

    [LoggerMessage(EventId = 6019, Level = LogLevel.Information, Message = "certificates were read again, asked by {Who}: {Replaced} replaced")]
    internal static partial void CertificatesReloaded(ILogger logger, int replaced, string who);

    [LoggerMessage(EventId = 6030, Level = LogLevel.Information, Message = "{Purged} cached answers were purged ({What}), asked by {Who}")]
    internal static partial void Purged(ILogger logger, int purged, string what, string who);

    [LoggerMessage(EventId = 6020, Level = LogLevel.Information, Message = "{Block} was banned by {Who} until {Until}: {Reason}")]
    internal static partial void Banned(ILogger logger, string block, string who, string until, string reason);

    [LoggerMessage(EventId = 6021, Level = LogLevel.Information, Message = "the ban of {Block} was ended by {Who}")]
    internal static partial void Unbanned(ILogger logger, string block, string who);
}
