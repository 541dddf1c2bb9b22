using LoadBalancer.Core.Configuration;
using LoadBalancer.Hosting.Configuration.Specs;

namespace LoadBalancer.Hosting.Configuration;

/// <summary>Descriptors of <see cref="CacheConfig"/>, <see cref="RouteCacheConfig"/> and their parts.</summary>
internal static class CacheSpecs
{
    internal static readonly ObjectSpec<CacheDiskConfig> Disk = new(
        "cacheDisk", "The part of a cache that lies in files. It outlives the process. A plain string is its \"path\".", () => new CacheDiskConfig { Path = "" },
        new FieldSpec<CacheDiskConfig, string>("path", "A folder of its own, which is made where it is not there, for its owner only. Relative to this file.",
            new TextSpec(examples: ["/var/cache/lb"]), c => c.Path, (c, v) => c with { Path = v }) { IsRequired = true, OtherNames = ["folder", "directory", "dir"] },
        new FieldSpec<CacheDiskConfig, long>("bytesMax", "Bytes that its files may take.",
            new SizeSpec(ConfigRanges.CacheDiskBytesMax), c => c.BytesMax, (c, v) => c with { BytesMax = v }) { OtherNames = ["maxSize", "size", "max_size"] },
        new FieldSpec<CacheDiskConfig, long>("objectBytesMax", "Largest body that is stored.",
            new SizeSpec(ConfigRanges.CacheDiskObjectBytesMax), c => c.ObjectBytesMax, (c, v) => c with { ObjectBytesMax = v }))
    {
        FromText = text => new CacheDiskConfig { Path = text },
    };

    internal static readonly ObjectSpec<CacheConfig> Cache = new(
        "cache", "A store of responses (RFC 9111), which any number of routes share.", () => new CacheConfig(),
        new FieldSpec<CacheConfig, long>("memoryBytesMax", "Bytes that it may hold in memory, with heads and bookkeeping.",
            new SizeSpec(ConfigRanges.CacheMemoryBytesMax), c => c.MemoryBytesMax, (c, v) => c with { MemoryBytesMax = v }) { OtherNames = ["size", "maxSize", "keysZone"] },
        new FieldSpec<CacheConfig, long>("objectBytesMax", "Largest body that is stored in memory.",
            new SizeSpec(ConfigRanges.CacheObjectBytesMax), c => c.ObjectBytesMax, (c, v) => c with { ObjectBytesMax = v }) { OtherNames = ["maxObjectSize"] },
        new FieldSpec<CacheConfig, CacheDiskConfig?>("disk", "Where larger bodies go; a plain string is its \"path\". Left out: they are not stored.",
            Disk!, c => c.Disk, (c, v) => c with { Disk = v }));

    internal static readonly ObjectSpec<RouteCacheConfig> Route = new(
        "routeCache", "Has a route answer from a cache what may be, and store what may be. A plain string is its \"in\".", () => new RouteCacheConfig(),
        new FieldSpec<RouteCacheConfig, string?>("in", "Name of the cache. Left out: the only one that there is.",
            new TextSpec()!, c => c.In, (c, v) => c with { In = v }) { OtherNames = ["cache", "store", "name"] },
        new FieldSpec<RouteCacheConfig, CacheKeyQuery>("query", "What of the query makes another response: \"as-is\", \"sorted\" (parameters in order), \"none\".",
            new ChoiceSpec<CacheKeyQuery>(("as-is", CacheKeyQuery.AsIs), ("sorted", CacheKeyQuery.Sorted), ("none", CacheKeyQuery.None)), c => c.Query, (c, v) => c with { Query = v }),
        new FieldSpec<RouteCacheConfig, IReadOnlyList<string>>("queryIgnored", "Parameters that do not; \"utm_*\" stands for all that begin so.",
            new TextListSpec(new TextSpec(examples: ["utm_*", "fbclid"])), c => c.QueryIgnored, (c, v) => c with { QueryIgnored = v }),
        new FieldSpec<RouteCacheConfig, IReadOnlyList<string>>("queryOnly", "The only parameters that do. Empty: all.",
            new TextListSpec(new TextSpec(examples: ["page", "size"])), c => c.QueryOnly, (c, v) => c with { QueryOnly = v }),
        new FieldSpec<RouteCacheConfig, IReadOnlyList<string>>("keyHeaders", "Request fields that make another response, beside those that responses name in Vary.",
            new TextListSpec(new TextSpec()), c => c.KeyHeaders, (c, v) => c with { KeyHeaders = v }),
        new FieldSpec<RouteCacheConfig, IReadOnlyList<string>>("keyCookies", "Cookies that make another response.",
            new TextListSpec(new TextSpec()), c => c.KeyCookies, (c, v) => c with { KeyCookies = v }),
        new FieldSpec<RouteCacheConfig, IReadOnlyDictionary<string, TimeSpan>>("ttl", "How long responses are fresh that do not say so themselves, by status, as in { \"200\": \"10m\", \"404\": \"30s\" }.",
            new MapSpec<TimeSpan>(new DurationSpec(ConfigRanges.CacheTtl), () => TimeSpan.FromMinutes(1)), c => c.Ttl, (c, v) => c with { Ttl = v }) { OtherNames = ["valid", "proxyCacheValid"] },
        new FieldSpec<RouteCacheConfig, bool>("ttlOverrides", "Whether \"ttl\" holds also for responses that say otherwise. What forbids storing holds all the same.",
            new FlagSpec(), c => c.TtlOverrides, (c, v) => c with { TtlOverrides = v }),
        new FieldSpec<RouteCacheConfig, TimeSpan>("staleWhileRevalidate", "How long after it is stale a response is still given out while a new one is fetched, where it does not say so itself.",
            new DurationSpec(ConfigRanges.CacheStale), c => c.StaleWhileRevalidate, (c, v) => c with { StaleWhileRevalidate = v }) { OtherNames = ["backgroundUpdate"] },
        new FieldSpec<RouteCacheConfig, TimeSpan>("staleIfError", "How long after it is stale a response is given out where the destination fails (no answer, or 500, 502, 503, 504), where it does not say so itself.",
            new DurationSpec(ConfigRanges.CacheStale), c => c.StaleIfError, (c, v) => c with { StaleIfError = v }) { OtherNames = ["useStale", "grace"] },
        new FieldSpec<RouteCacheConfig, bool>("obeysClients", "Whether Cache-Control of requests counts (RFC 9111 §5.2.1): clients may then ask past the cache.",
            new FlagSpec(), c => c.ObeysClients, (c, v) => c with { ObeysClients = v }),
        new FieldSpec<RouteCacheConfig, TimeSpan>("collapseTimeout", "How long a request waits for another that fetches the same. 0: not at all.",
            new DurationSpec(ConfigRanges.CollapseTimeout), c => c.CollapseTimeout, (c, v) => c with { CollapseTimeout = v }) { OtherNames = ["lockTimeout"] },
        new FieldSpec<RouteCacheConfig, bool>("statusField", "Whether answers tell in Cache-Status (RFC 9211) what the cache did.",
            new FlagSpec(), c => c.StatusField, (c, v) => c with { StatusField = v }))
    {
        FromText = text => new RouteCacheConfig { In = text },
    };
}
