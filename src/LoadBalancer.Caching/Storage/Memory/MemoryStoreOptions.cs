namespace LoadBalancer.Caching.Storage.Memory;

/// <summary>Bounds of a <see cref="MemoryStore{THead}"/>.</summary>
public sealed record MemoryStoreOptions
{
    /// <summary>Smallest store: 1 MiB.</summary>
    public const long BytesMaxMin = 1024 * 1024;

    internal const int TagLengthMaxMax = 8 * 1024;

    /// <summary>Bytes of all objects: bodies, heads, keys, tags, and what the store itself takes for each. At least 1 MiB. Default 256 MiB.</summary>
    public long BytesMax { get; init; } = 256L * 1024 * 1024;

    /// <summary>Bytes of bodies beyond that, being received, or evicted and still sent. Without room, answers pass through unstored. Default (0): a quarter of <see cref="BytesMax"/>.</summary>
    public long InFlightBytesMax { get; init; }

    /// <summary>Largest object, in bytes. Default (0), and the most: an eighth of a shard, 2 MiB of 256 MiB in 16 shards. See <see cref="MemoryStore{THead}.ObjectBytesMax"/>.</summary>
    public long ObjectBytesMax { get; init; }

    /// <summary>Variants of one key; the oldest goes. Default 32, at most 256: a look-up tries them in turn.</summary>
    public int VariantsMax { get; init; } = 32;

    /// <summary>Tags of one object. Default 64.</summary>
    public int TagsMax { get; init; } = 64;

    /// <summary>Longest tag, in characters. Default 256.</summary>
    public int TagLengthMax { get; init; } = 256;

    /// <summary>Parts with a lock of their own, a power of two, at most 256. Default (0): two for each processor, but none smaller than 16 MiB.</summary>
    public int Shards { get; init; }
}
