using LoadBalancer.Caching.Storage.Bodies;
using LoadBalancer.Caching.Storage.Disk;

namespace LoadBalancer.Caching.Storage.Memory;

/// <summary>One variant of what is stored under a primary key: head, body, tags. Immutable but for its mark; a change is another object.</summary>
public sealed class StoredObject<THead>
    where THead : class
{
    // This object, its share of the key (with a half-filled table), the array of variants, the memory of evicted keys.
    private const int ObjectBytes = 144 + 96 + 32 + 36;
    private const int TagBytes = 160; // a string, and its place in the index of tags

    private bool _isMarkedStale;

    /// <param name="hash">Of the key, by <see cref="KeyHasher"/>.</param>
    /// <param name="key">The primary key; not empty. Kept as it is: nobody changes it.</param>
    /// <param name="head">What the caller keeps for the head.</param>
    /// <param name="headBytes">Memory that the head takes, in bytes.</param>
    /// <param name="body">The body, sealed; null for none. A store that takes the object takes a reference of its own.</param>
    /// <param name="tags">By which it may be purged; ordinal, no duplicates needed. Default none.</param>
    /// <param name="keepUntil">From when on it is of no use, not even stale: it is then the first to go. In the unit of <c>now</c> of the store. Default never.</param>
    public StoredObject(UInt128 hash, byte[] key, THead head, int headBytes, StoredBody? body, IReadOnlyList<string>? tags = null, long keepUntil = long.MaxValue)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentOutOfRangeException.ThrowIfZero(key.Length, nameof(key));
        ArgumentNullException.ThrowIfNull(head);
        ArgumentOutOfRangeException.ThrowIfNegative(headBytes);
        if (body is { IsSealed: false }) throw new ArgumentException("Only a complete body is stored.", nameof(body));
        Hash = hash;
        Key = key;
        Head = head;
        HeadBytes = headBytes;
        Body = body;
        Tags = tags ?? [];
        KeepUntil = keepUntil;
        SizeBytes = ObjectBytes + key.Length + headBytes + (body?.SizeBytes ?? 0);
        foreach (string tag in Tags) SizeBytes += TagBytes + tag.Length * sizeof(char);
    }

    /// <summary>One whose body lies in a file: its size is what it takes there.</summary>
    internal StoredObject(UInt128 hash, byte[] key, THead head, IReadOnlyList<string> tags, long keepUntil, DiskFile file)
    {
        Hash = hash;
        Key = key;
        Head = head;
        Tags = tags;
        KeepUntil = keepUntil;
        File = file;
        SizeBytes = file.SizeBytes;
    }

    /// <summary>Of the key.</summary>
    public UInt128 Hash { get; }

    /// <summary>The primary key.</summary>
    public byte[] Key { get; }

    /// <summary>The head.</summary>
    public THead Head { get; }

    /// <summary>Memory of the head, as was said.</summary>
    public int HeadBytes { get; }

    /// <summary>The body; to be read only under a <see cref="StoreLease{THead}"/>. Null for none.</summary>
    public StoredBody? Body { get; }

    /// <summary>Length of the body, wherever it lies, in bytes.</summary>
    public long BodyLength => File?.BodyLength ?? Body?.Length ?? 0;

    /// <summary>By which it may be purged.</summary>
    public IReadOnlyList<string> Tags { get; }

    /// <summary>From when on it is of no use.</summary>
    public long KeepUntil { get; }

    /// <summary>Memory that it is accounted for: blocks of the body as the allocator takes them, and objects.</summary>
    public long SizeBytes { get; }

    /// <summary>A soft purge came by: it is to be taken for stale, whatever its head says.</summary>
    public bool IsMarkedStale => Volatile.Read(ref _isMarkedStale);

    internal void MarkStale() => Volatile.Write(ref _isMarkedStale, true);

    /// <summary>Order of objects on disk; 0 in memory.</summary>
    internal long Sequence => File?.Sequence ?? 0;

    // Of the shard, under its lock.
    internal VariantSet<THead>? Set;
    internal StoredObject<THead>? Newer, Older;
    internal EvictionQueue<THead>? Queue;
    internal bool WasStored;

    /// <summary>Where the body lies, of an object of a <see cref="DiskStore{THead}"/>.</summary>
    internal DiskFile? File { get; }

    // Another object has taken over the file.
    internal bool HasPassedFile;

    /// <summary>It has left its store; outside its lock.</summary>
    internal void Leave()
    {
        Body?.Release();
        if (!HasPassedFile) File?.Delete();
    }

    // Saturates at 3; written by every thread that hits, without a lock: a lost count costs nothing.
    internal byte Hits;
}
