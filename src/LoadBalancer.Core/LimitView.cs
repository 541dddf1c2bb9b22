using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Core;

/// <summary>A limit of the configuration as it was at one moment.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Config">What was written of it.</param>
/// <param name="Routes">The routes that are under it.</param>
/// <param name="KeyCapacity">Keys that it can count at a time.</param>
/// <param name="AllowedTotal">Requests that it has let through since the start.</param>
/// <param name="RefusedTotal">Requests that it has refused, or would have.</param>
public sealed record LimitView(string Name, LimitConfig Config, IReadOnlyList<string> Routes, int KeyCapacity, long AllowedTotal, long RefusedTotal);

/// <summary>What a cluster may have under way, as it was at one moment.</summary>
/// <param name="Cluster">Name of the cluster.</param>
/// <param name="Config">What was written of it.</param>
/// <param name="Limit">Most at a time, now.</param>
/// <param name="Outstanding">Under way now.</param>
/// <param name="AllowedTotal">Requests that it has let through since the start.</param>
/// <param name="RefusedTotal">Requests that it has turned away, or would have.</param>
public sealed record ConcurrencyView(string Cluster, ConcurrencyConfig Config, int Limit, long Outstanding, long AllowedTotal, long RefusedTotal);
