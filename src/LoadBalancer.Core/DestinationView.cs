using LoadBalancer.Balancing;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Core;

/// <summary>One destination of a cluster as it was at one moment.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Source">Who knows of it: "configuration", or the source given to <see cref="ProxyServer.UpdateDestinations(string, string, IReadOnlyDictionary{string, DestinationConfig})"/>.</param>
/// <param name="Config">Its address and settings.</param>
/// <param name="Status">Reasons not to use it.</param>
/// <param name="Outstanding">Requests that it has.</param>
public sealed record DestinationView(string Name, string Source, DestinationConfig Config, DestinationStatus Status, int Outstanding);
