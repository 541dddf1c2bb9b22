using LoadBalancer.Caching.Storage.Memory;

namespace LoadBalancer.Caching.Storage.Disk;

/// <summary>Where a <see cref="DiskStore{THead}"/> lies, and its bounds.</summary>
public sealed record DiskStoreOptions
{
    /// <summary>The folder; made, for its owner only, where it is not there. For one process at a time.</summary>
    public required string Folder { get; init; }

    /// <summary>Hashes keys; the same as for the look-ups. Nothing on disk depends on its secret.</summary>
    public required KeyHasher Hasher { get; init; }

    /// <summary>Bytes of all files, each rounded up to 4 KiB. What is being written comes on top: <see cref="WritersMax"/> times <see cref="ObjectBytesMax"/> at most. Default 4 GiB.</summary>
    public long BytesMax { get; init; } = 4L * 1024 * 1024 * 1024;

    /// <summary>Objects. Their heads and keys are held in memory. Default 65,536.</summary>
    public int ObjectsMax { get; init; } = 64 * 1024;

    /// <summary>Longest body, in bytes; never more than an eighth of <see cref="BytesMax"/>. Default 512 MiB.</summary>
    public long ObjectBytesMax { get; init; } = 512L * 1024 * 1024;

    /// <summary>Key, head and tags of an object, in bytes. Default 256 KiB.</summary>
    public int MetaBytesMax { get; init; } = 256 * 1024;

    /// <summary>Variants of one key. Default 32.</summary>
    public int VariantsMax { get; init; } = 32;

    /// <summary>Tags of one object. Default 64.</summary>
    public int TagsMax { get; init; } = 64;

    /// <summary>Objects being written at one time, a file each. Default 32.</summary>
    public int WritersMax { get; init; } = 32;

    /// <summary>Files being read at one time. Default 512.</summary>
    public int ReadersMax { get; init; } = 512;

    /// <summary>
    /// Whether a file is flushed to the device before it gets its name. Default no: after a loss of power a file may be incomplete, which its checksums tell; then the object is
    /// fetched again. A process that is killed loses nothing either way.
    /// </summary>
    public bool Flushes { get; init; }

    /// <summary>Told when the store begins to fail (once, until it works again): disk full, no permission, a faulty file. On any thread; must not throw.</summary>
    public Action<string>? OnFault { get; init; }
}
