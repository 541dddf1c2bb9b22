using LoadBalancer.Balancing;
using LoadBalancer.Core.AccessLog;

namespace LoadBalancer.Core;

/// <summary>What a server has served since its start. The counts are read one after the other while requests run.</summary>
/// <param name="Requests">By listener and route, of those that have had any.</param>
/// <param name="Ends">How often requests and connections have ended, by <see cref="EndReason"/>.</param>
/// <param name="Listeners">The listeners' connections.</param>
/// <param name="Clusters">The clusters.</param>
/// <param name="Destinations">The members of all clusters.</param>
public sealed record TrafficView(IReadOnlyList<RequestTraffic> Requests, IReadOnlyList<long> Ends, IReadOnlyList<ListenerTraffic> Listeners, IReadOnlyList<ClusterTraffic> Clusters,
    IReadOnlyList<DestinationTraffic> Destinations);

/// <summary>Requests that came by one listener and took one route.</summary>
/// <param name="Listener">Its name.</param>
/// <param name="Route">Its name; "" for requests that took none.</param>
/// <param name="ByClass">How many, in the order of <see cref="Classes"/>.</param>
/// <param name="ByCacheOutcome">How many, by <see cref="CacheOutcome"/>; those of routes without a cache are not counted.</param>
/// <param name="Durations">From their heads to the ends of their answers.</param>
/// <param name="BytesReceived">Of bodies, without framing.</param>
/// <param name="BytesSent">Of bodies, without framing.</param>
/// <param name="Retries">Attempts after the first.</param>
/// <param name="DeniedRetries">Requests that were not repeated as the cluster's retry budget was spent.</param>
/// <param name="Hedges">Requests that were sent to a second destination while the first was silent.</param>
public sealed record RequestTraffic(string Listener, string Route, IReadOnlyList<long> ByClass, IReadOnlyList<long> ByCacheOutcome, DurationView Durations, long BytesReceived, long BytesSent,
    long Retries, long DeniedRetries, long Hedges)
{
    /// <summary>Classes of statuses; "none" where none was sent.</summary>
    public static IReadOnlyList<string> Classes { get; } = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];

    /// <summary>The names of <see cref="CacheOutcome"/>, in its order.</summary>
    public static IReadOnlyList<string> CacheOutcomes { get; } = Enum.GetNames<CacheOutcome>();

    internal static int ClassOf(int status) => status is >= 100 and < 600 ? status / 100 : 0;
}

/// <summary>Connections that clients have made.</summary>
/// <param name="Listener">Its name.</param>
/// <param name="Accepted">Since the start.</param>
/// <param name="Open">Now.</param>
/// <param name="Refused">Connections that were refused as there were as many as there may be.</param>
/// <param name="AcceptErrors">Accepts that have failed, for want of descriptors or memory.</param>
public sealed record ListenerTraffic(string Listener, long Accepted, long Open, long Refused, long AcceptErrors)
{
    /// <summary>Whether it terminates TLS.</summary>
    public bool HasTls { get; init; }

    /// <summary>TLS hand-shakes that began a session; of the portable path also those that resumed one.</summary>
    public long FullHandshakes { get; init; }

    /// <summary>TLS hand-shakes that resumed a session.</summary>
    public long ResumedHandshakes { get; init; }

    /// <summary>TLS hand-shakes that came to nothing.</summary>
    public long FailedHandshakes { get; init; }
}

/// <summary>A cluster as a whole.</summary>
/// <param name="Cluster">Its name.</param>
/// <param name="Ejections">Destinations that were ejected as outliers.</param>
public sealed record ClusterTraffic(string Cluster, long Ejections);

/// <summary>Attempts at one destination.</summary>
/// <param name="Cluster">Name of its cluster.</param>
/// <param name="Destination">Its name.</param>
/// <param name="Status">Reasons not to use it.</param>
/// <param name="Outstanding">Requests that it has now.</param>
/// <param name="ConnectionsOpen">Connections to it now.</param>
/// <param name="Connects">Connections that were made.</param>
/// <param name="ByOutcome">How many, in the order of <see cref="Outcomes"/>.</param>
/// <param name="FirstBytes">From picks to the first bytes of answers.</param>
public sealed record DestinationTraffic(string Cluster, string Destination, DestinationStatus Status, int Outstanding, int ConnectionsOpen, long Connects, IReadOnlyList<long> ByOutcome, DurationView FirstBytes)
{
    /// <summary>The names of <see cref="PickOutcomeKind"/>, in its order.</summary>
    public static IReadOnlyList<string> Outcomes { get; } = ["success", "server_error", "connect_failure", "protocol_failure", "timeout", "cancelled", "refused"];
}

/// <summary>Durations.</summary>
/// <param name="Counts">How many were at most <see cref="Bounds"/>, and not at most the bound before; the last is of those above all bounds.</param>
/// <param name="SumSeconds">All of them together.</param>
public sealed record DurationView(IReadOnlyList<long> Counts, double SumSeconds)
{
    /// <summary>In seconds.</summary>
    public static IReadOnlyList<double> Bounds { get; } = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
}
