using LoadBalancer.Balancing;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Events;

namespace LoadBalancer.Core;

/// <summary>One destination of a cluster as it was at one moment.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Source">Who knows of it: "configuration", or the source given to <see cref="ProxyServer.UpdateDestinations(string, string, IReadOnlyDictionary{string, DestinationConfig})"/>.</param>
/// <param name="Config">Its address and settings.</param>
/// <param name="Status">Reasons not to use it.</param>
/// <param name="Outstanding">Requests that it has.</param>
public sealed record DestinationView(string Name, string Source, DestinationConfig Config, DestinationStatus Status, int Outstanding)
{
    /// <summary>Whether picks go to it: also where it should not be used, but too few others are left.</summary>
    public bool IsPicked { get; init; }

    /// <summary>What balancing knows of it.</summary>
    public DestinationScore Score { get; init; }

    /// <summary>Failures that outlier ejection has counted.</summary>
    public FailureCounts Failures { get; init; }

    /// <summary>Connections to it now.</summary>
    public int Connections { get; init; }

    /// <summary>How long its ejection lasts still; null where it is not ejected.</summary>
    public TimeSpan? EjectionLeft { get; init; }

    /// <summary>The last changes of its status, oldest first.</summary>
    public IReadOnlyList<StatusChange> History { get; init; } = [];
}
