namespace LoadBalancer.Discovery;

/// <summary>One look at a source.</summary>
/// <param name="Cluster">Name of the cluster.</param>
/// <param name="Source">Kind and name: "dns api.internal:8080".</param>
/// <param name="Destinations">How many destinations it gives the cluster now, new or from before.</param>
/// <param name="IsChanged">Whether they are others than before.</param>
/// <param name="NextIn">Time to the next look.</param>
/// <param name="Problem">What is wrong; null when nothing is.</param>
public sealed record DiscoveryRecord(string Cluster, string Source, int Destinations, bool IsChanged, TimeSpan NextIn, string? Problem);
