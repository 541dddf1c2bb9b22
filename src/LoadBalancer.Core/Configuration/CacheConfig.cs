namespace LoadBalancer.Core.Configuration;

/// <summary>A store of responses (RFC 9111), which any number of routes share.</summary>
public sealed record CacheConfig
{
    /// <summary>Bytes that it may hold in memory, with heads and bookkeeping. Default 64 MiB.</summary>
    public long MemoryBytesMax { get; init; } = 64 << 20;

    /// <summary>Largest body that is stored in memory, in bytes. Default 1 MiB.</summary>
    public long ObjectBytesMax { get; init; } = 1 << 20;

    /// <summary>Where larger bodies go. Null (default): they are not stored.</summary>
    public CacheDiskConfig? Disk { get; init; }
}

/// <summary>The part of a cache that lies in files. It outlives the process.</summary>
public sealed record CacheDiskConfig
{
    /// <summary>A folder of its own, which is made where it is not there, for its owner only.</summary>
    public required string Path { get; init; }

    /// <summary>Bytes that its files may take. Default 1 GiB.</summary>
    public long BytesMax { get; init; } = 1L << 30;

    /// <summary>Largest body that is stored, in bytes. Default 256 MiB.</summary>
    public long ObjectBytesMax { get; init; } = 256L << 20;
}

/// <summary>Has a route answer from a cache what may be, and store what may be.</summary>
public sealed record RouteCacheConfig
{
    /// <summary>Name of the cache. Null (default): the only one that there is.</summary>
    public string? In { get; init; }

    /// <summary>What of the query makes another response. Default <see cref="CacheKeyQuery.AsIs"/>.</summary>
    public CacheKeyQuery Query { get; init; }

    /// <summary>Parameters of the query that do not: "utm_*" stands for all that begin so. Default none.</summary>
    public IReadOnlyList<string> QueryIgnored { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>The only parameters of the query that do. Empty (default): all.</summary>
    public IReadOnlyList<string> QueryOnly { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>Request fields that make another response, beside those that responses name in Vary. Default none.</summary>
    public IReadOnlyList<string> KeyHeaders { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>Cookies that make another response. Default none.</summary>
    public IReadOnlyList<string> KeyCookies { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>How long responses are fresh that do not say so themselves, by status. Default none: RFC 9111 §4.2.2 guesses by Last-Modified.</summary>
    public IReadOnlyDictionary<string, TimeSpan> Ttl { get; init => field = ConfigMap<TimeSpan>.Of(value); } = ConfigMap<TimeSpan>.Empty;

    /// <summary>Whether <see cref="Ttl"/> holds also for responses that say otherwise. What forbids storing holds all the same. Default false.</summary>
    public bool TtlOverrides { get; init; }

    /// <summary>How long after it is stale a response is still given out while a new one is fetched, where it does not say so itself. Default zero.</summary>
    public TimeSpan StaleWhileRevalidate { get; init; }

    /// <summary>How long after it is stale a response is given out where the destination fails (no answer, or 500, 502, 503, 504), where it does not say so itself. Default zero.</summary>
    public TimeSpan StaleIfError { get; init; }

    /// <summary>Whether Cache-Control of requests counts (RFC 9111 §5.2.1): clients may then ask past the cache. Default true.</summary>
    public bool ObeysClients { get; init; } = true;

    /// <summary>How long a request waits for another that fetches the same; zero: not at all. Default 5 s (nginx: proxy_cache_lock_timeout).</summary>
    public TimeSpan CollapseTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Whether answers tell in Cache-Status (RFC 9211) what the cache did. Default true.</summary>
    public bool StatusField { get; init; } = true;
}

/// <summary>What of a query belongs to the key of a cached response.</summary>
public enum CacheKeyQuery
{
    /// <summary>All of it, as it is.</summary>
    AsIs,
    /// <summary>All of it, with parameters in order, so that "a=1&amp;b=2" and "b=2&amp;a=1" are one.</summary>
    Sorted,
    /// <summary>Nothing.</summary>
    None,
}
