namespace LoadBalancer.Core;

/// <summary>A cache at one moment. Counts are since the server has started.</summary>
/// <param name="Name">In the configuration.</param>
/// <param name="Memory">The part in memory.</param>
/// <param name="Disk">The part on disk; null for none.</param>
public sealed record CacheView(string Name, CachePartView Memory, CachePartView? Disk);

/// <summary>A part of a cache.</summary>
/// <param name="Objects">Responses that it holds.</param>
/// <param name="Bytes">Bytes that they take.</param>
/// <param name="BytesMax">Most bytes that they may take.</param>
/// <param name="Hits">Look-ups that found one, fresh or not.</param>
/// <param name="Misses">Look-ups that did not; of the memory's, some were found on disk.</param>
/// <param name="Insertions">Responses stored.</param>
/// <param name="Evictions">Responses that made room.</param>
/// <param name="Purges">Responses that were purged, or changed by an unsafe request.</param>
/// <param name="Refusals">Responses that were not stored, for want of room or as they had been purged on their way.</param>
public sealed record CachePartView(long Objects, long Bytes, long BytesMax, long Hits, long Misses, long Insertions, long Evictions, long Purges, long Refusals);

/// <summary>What is stored for a URL, and why not more.</summary>
/// <param name="Route">The route that such a request takes; null where there is none.</param>
/// <param name="Cache">The cache that it uses; null for none: nothing is stored.</param>
/// <param name="Variants">What is stored.</param>
/// <param name="Verdict">Why the last answer was not stored, by its name; null where it was, or where it is not known any more.</param>
/// <param name="VerdictAt">When that was.</param>
public sealed record CacheExplanation(string? Route, string? Cache, IReadOnlyList<StoredView> Variants, string? Verdict, DateTimeOffset? VerdictAt);

/// <summary>A stored response.</summary>
/// <param name="Place">"memory" or "disk".</param>
/// <param name="Status">Its status.</param>
/// <param name="BodyBytes">Length of its body.</param>
/// <param name="AgeSeconds">As it would be sent in Age.</param>
/// <param name="TtlSeconds">How long it is fresh still; negative: since when it is stale.</param>
/// <param name="Lifetime">What its lifetime comes from: "MaxAge", "Heuristic" and so on.</param>
/// <param name="VariesBy">The request fields that it was selected by, with their values.</param>
/// <param name="ETag">Its entity tag; null for none.</param>
/// <param name="Tags">By which it may be purged.</param>
/// <param name="IsMarkedStale">A soft purge has made it stale.</param>
public sealed record StoredView(string Place, int Status, long BodyBytes, int AgeSeconds, int TtlSeconds, string Lifetime, IReadOnlyDictionary<string, string?> VariesBy, string? ETag,
    IReadOnlyList<string> Tags, bool IsMarkedStale);

/// <summary>What is to be purged. Exactly one is given.</summary>
/// <param name="Url">"https://example.com/path?query", or all that begins so with a "*" at the end.</param>
/// <param name="Tag">A tag of Surrogate-Key or Cache-Tag.</param>
/// <param name="All">Everything.</param>
public sealed record CachePurge(string? Url, string? Tag, bool All);
