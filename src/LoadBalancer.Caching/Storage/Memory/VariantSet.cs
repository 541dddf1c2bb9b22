namespace LoadBalancer.Caching.Storage.Memory;

/// <summary>A primary key with its variants, newest first. The array is replaced, never changed: readers take it without a lock.</summary>
internal sealed class VariantSet<THead>(UInt128 hash, byte[] key)
    where THead : class
{
    private StoredObject<THead>[] _variants = [];

    internal UInt128 Hash => hash;

    internal byte[] Key => key;

    internal StoredObject<THead>[] Variants
    {
        get => Volatile.Read(ref _variants);
        set => Volatile.Write(ref _variants, value);
    }

    internal bool Matches(UInt128 other, ReadOnlySpan<byte> otherKey) => hash == other && otherKey.SequenceEqual(key);
}
