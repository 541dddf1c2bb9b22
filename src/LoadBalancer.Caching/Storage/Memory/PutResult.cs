namespace LoadBalancer.Caching.Storage.Memory;

/// <summary>What became of an object that was to be stored. Names are stable: they stand in logs and metrics.</summary>
public enum PutResult : byte
{
    /// <summary>It is stored.</summary>
    Stored,

    /// <summary>It is larger than the store takes.</summary>
    TooLarge,

    /// <summary>It has more tags than are indexed, or longer ones: it could not be purged by all of them.</summary>
    TooManyTags,

    /// <summary>A purge that it falls under came after its request was sent: it may be what was to go.</summary>
    Purged,

    /// <summary>Nobody had the object it was to take the place of any more.</summary>
    Gone,

    /// <summary>The place where it was to be stored does not take it: disk full, or faulty.</summary>
    Unavailable,
}
