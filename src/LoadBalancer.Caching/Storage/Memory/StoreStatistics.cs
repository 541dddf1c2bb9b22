namespace LoadBalancer.Caching.Storage.Memory;

/// <summary>What a store holds, and has done since it was made.</summary>
/// <param name="Objects">Objects now.</param>
/// <param name="Bytes">Bytes they are accounted for.</param>
/// <param name="Hits">Look-ups that found one.</param>
/// <param name="Misses">Look-ups that did not.</param>
/// <param name="Insertions">Objects stored, replacements among them.</param>
/// <param name="Replacements">Objects that took the place of another.</param>
/// <param name="Evictions">Objects that made room.</param>
/// <param name="Expirations">Those of them that were of no use any more.</param>
/// <param name="Purges">Objects removed or marked because somebody said so.</param>
/// <param name="Refusals">Objects not stored.</param>
public readonly record struct StoreStatistics(
    long Objects, long Bytes, long Hits, long Misses, long Insertions, long Replacements, long Evictions, long Expirations, long Purges, long Refusals);
