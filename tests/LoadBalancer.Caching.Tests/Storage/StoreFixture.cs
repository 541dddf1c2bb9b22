using System.Buffers.Binary;
using System.Text;
using LoadBalancer.Caching.Storage.Bodies;
using LoadBalancer.Caching.Storage.Memory;

namespace LoadBalancer.Caching.Tests.Storage;

/// <summary>A head of the tests: the variant it answers.</summary>
internal sealed record TestHead(string Variant, int Version = 0);

/// <summary>Picks the variant of that name.</summary>
internal readonly ref struct ByVariant(string variant) : IVariantSelector<TestHead>
{
    private readonly string _variant = variant;

    public int Select(ReadOnlySpan<StoredObject<TestHead>> variants)
    {
        for (int i = 0; i < variants.Length; i++)
        {
            if (variants[i].Head.Variant == _variant) return i;
        }
        return -1;
    }
}

/// <summary>Makes objects whose bodies say what they should be.</summary>
internal static class StoreFixture
{
    internal static readonly KeyHasher Hasher = new("0123456789abcdef"u8);

    internal static byte[] Key(string key) => Encoding.UTF8.GetBytes(key);

    internal static UInt128 Hash(string key) => Hasher.Hash(Key(key));

    internal static StoredBody Body(BodyMemory memory, ulong id, int length)
    {
        StoredBody body = StoredBody.Create(memory, bytesMax: 1 << 24, length);
        if (!body.TryAppend(Describe(id, length)) || !body.TrySeal()) throw new InvalidOperationException("no room for a body");
        return body;
    }

    /// <summary>A body of which each eight bytes say whose it is, and where.</summary>
    internal static byte[] Describe(ulong id, int length)
    {
        byte[] bytes = new byte[length + 8];
        for (int at = 0; at < length; at += 8) BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(at), (id << 24) + (ulong)at);
        return bytes[..length];
    }

    internal static bool IsWhole(StoredBody body, ulong id, int length)
    {
        if (body.Length != length) return false;
        byte[] expected = Describe(id, length);
        for (long at = 0; at < length;)
        {
            ReadOnlyMemory<byte> piece = body.Slice(at);
            if (!piece.Span.SequenceEqual(expected.AsSpan((int)at, piece.Length))) return false;
            at += piece.Length;
        }
        return true;
    }

    internal static StoredObject<TestHead> Object(MemoryStore<TestHead> store, string key, int length = 100, string variant = "", string[]? tags = null, long keepUntil = long.MaxValue, int version = 0)
    {
        StoredBody? body = length > 0 ? Body(store.Memory, (ulong)key.Length, length) : null;
        return new(Hash(key), Key(key), new(variant, version), 100, body, tags, keepUntil);
    }

    /// <summary>Stores, and gives up the maker's reference, as a writer does.</summary>
    internal static PutResult Put(this MemoryStore<TestHead> store, StoredObject<TestHead> entry, long now = 0, long? purgePosition = null)
    {
        PutResult result = store.Put(entry, new ByVariant(entry.Head.Variant), now, purgePosition ?? store.PurgePosition);
        entry.Body?.Release();
        return result;
    }

    internal static PutResult Put(this MemoryStore<TestHead> store, string key, int length = 100, string variant = "", string[]? tags = null, long keepUntil = long.MaxValue, int version = 0) =>
        store.Put(Object(store, key, length, variant, tags, keepUntil, version));

    internal static int? Version(this MemoryStore<TestHead> store, string key, string variant = "")
    {
        if (!store.TryFind(Hash(key), Key(key), new ByVariant(variant), out StoreLease<TestHead> lease)) return null;
        int version = lease.Head.Version;
        lease.Release();
        return version;
    }
}
