namespace LoadBalancer.Caching.Storage.Memory;

/// <summary>Picks among the variants of a primary key, for a request. A struct, so that a look-up calls it directly and allocates nothing.</summary>
public interface IVariantSelector<THead>
    where THead : class
{
    /// <summary>Index of the variant that answers the request, or -1. Newest first. Called on any thread, in <see cref="MemoryStore{THead}.Put"/> under a lock: short, and calls no store.</summary>
    int Select(ReadOnlySpan<StoredObject<THead>> variants);
}

/// <summary>Takes the newest: for keys that have no variants.</summary>
public readonly struct NewestVariant<THead> : IVariantSelector<THead>
    where THead : class
{
    /// <inheritdoc/>
    public int Select(ReadOnlySpan<StoredObject<THead>> variants) => variants.IsEmpty ? -1 : 0;
}
