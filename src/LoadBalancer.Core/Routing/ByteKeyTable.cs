using System.Diagnostics.CodeAnalysis;

namespace LoadBalancer.Core.Routing;

/// <summary>A hash table over byte strings that is filled once and read without allocating. Keys come from the configuration, so the hash needs no secret.</summary>
internal sealed class ByteKeyTable<TValue> where TValue : class, new()
{
    private (byte[] Key, TValue Value)[][] _buckets = [[]];

    internal int Count { get; private set; }

    internal TValue GetOrAdd(ReadOnlySpan<byte> key)
    {
        if (TryGet(key, out TValue? value)) return value;
        value = new TValue();
        if (++Count > _buckets.Length) Grow();
        Insert(_buckets, key.ToArray(), value);
        return value;
    }

    internal bool TryGet(ReadOnlySpan<byte> key, [NotNullWhen(true)] out TValue? value)
    {
        foreach ((byte[] candidate, TValue found) in _buckets[Hash(key) & (uint)(_buckets.Length - 1)])
        {
            if (!key.SequenceEqual(candidate)) continue;
            value = found;
            return true;
        }
        value = null;
        return false;
    }

    private void Grow()
    {
        var larger = new (byte[], TValue)[_buckets.Length * 2][];
        Array.Fill(larger, []);
        foreach ((byte[] key, TValue value) in _buckets.SelectMany(b => b)) Insert(larger, key, value);
        _buckets = larger;
    }

    private static void Insert((byte[], TValue)[][] buckets, byte[] key, TValue value)
    {
        ref (byte[], TValue)[] bucket = ref buckets[Hash(key) & (uint)(buckets.Length - 1)];
        bucket = [.. bucket, (key, value)];
    }

    // FNV-1a: keys are short.
    private static uint Hash(ReadOnlySpan<byte> key)
    {
        uint hash = 2166136261;
        foreach (byte b in key) hash = (hash ^ b) * 16777619;
        return hash ^ hash >> 15;
    }
}
