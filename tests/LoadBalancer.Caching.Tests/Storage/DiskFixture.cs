using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using LoadBalancer.Caching.Storage.Disk;
using LoadBalancer.Caching.Storage.Memory;

namespace LoadBalancer.Caching.Tests.Storage;

/// <summary>Heads of the tests on disk.</summary>
internal sealed class TestHeadFormat : IStoredHeadFormat<TestHead>
{
    public void Write(TestHead head, IBufferWriter<byte> writer)
    {
        BinaryPrimitives.WriteInt32LittleEndian(writer.GetSpan(4), head.Version);
        writer.Advance(4);
        Encoding.UTF8.GetBytes(head.Variant, writer);
    }

    public bool TryRead(ReadOnlySpan<byte> bytes, out TestHead head)
    {
        head = bytes.Length < 4 ? null! : new(Encoding.UTF8.GetString(bytes[4..]), BinaryPrimitives.ReadInt32LittleEndian(bytes));
        return head is not null;
    }
}

/// <summary>A store in a folder of its own; bodies are described by key and version.</summary>
internal static class DiskFixture
{
    internal static DiskStoreOptions Options(string folder, long bytesMax = 64 * 1024 * 1024, int objectsMax = 1000, Action<string>? onFault = null) =>
        new() { Folder = folder, Hasher = StoreFixture.Hasher, BytesMax = bytesMax, ObjectsMax = objectsMax, OnFault = onFault, ReadersMax = 4, WritersMax = 4 };

    internal static async Task<DiskStore<TestHead>> OpenAsync(DiskStoreOptions options, long now = 0)
    {
        var store = new DiskStore<TestHead>(options, new TestHeadFormat());
        await store.LoadAsync(now);
        return store;
    }

    internal static ulong IdOf(string key, int version) => (ulong)(ushort)StoreFixture.Hash(key) << 16 | (uint)version;

    internal static async Task<PutResult> PutAsync(this DiskStore<TestHead> store, string key, int length, int version = 0, string variant = "", string[]? tags = null, long keepUntil = long.MaxValue, bool isLengthKnown = true)
    {
        long position = store.PurgePosition;
        DiskWriter<TestHead>? writer = store.TryBegin(StoreFixture.Key(key), new(variant, version), tags ?? [], keepUntil, isLengthKnown ? length : -1, out PutResult refusal);
        if (writer is null) return refusal;
        byte[] content = StoreFixture.Describe(IdOf(key, version), length);
        for (int at = 0; at < length;)
        {
            int piece = Math.Min(length - at, 30_000);
            if (!writer.TryAppend(content.AsSpan(at, piece))) break;
            at += piece;
            if (writer.IsBehind) await writer.CaughtUpAsync();
        }
        return await writer.CompleteAsync() ? store.Publish(writer, new ByVariant(variant), now: 0, position) : PutResult.Unavailable;
    }

    internal static StoredObject<TestHead>? Find(this DiskStore<TestHead> store, string key, string variant = "") =>
        store.TryFind(StoreFixture.Hash(key), StoreFixture.Key(key), new ByVariant(variant), out StoredObject<TestHead>? found) ? found : null;

    /// <summary>The version, after its whole body was read and found right; null for a miss or where the store says that it is not whole.</summary>
    internal static async Task<int?> ReadAsync(this DiskStore<TestHead> store, string key, string variant = "", int blocks = 1)
    {
        if (store.Find(key, variant) is not { } found) return null;
        using DiskReader? reader = await store.OpenAsync(found);
        if (reader is null) return null;
        byte[] content = StoreFixture.Describe(IdOf(key, found.Head.Version), (int)found.BodyLength), buffer = new byte[blocks * DiskReader.BlockBytes];
        if (reader.Length != content.Length) throw new InvalidOperationException("wrong length");
        for (long at = 0; ;)
        {
            ReadOnlyMemory<byte>? piece = await reader.ReadAsync(at, buffer);
            if (piece is null) return null;
            if (piece.Value.IsEmpty) return at == content.Length ? found.Head.Version : throw new InvalidOperationException("ended early");
            if (!piece.Value.Span.SequenceEqual(content.AsSpan((int)at, piece.Value.Length))) throw new InvalidOperationException($"wrong bytes of {key} in the block at {at}");
            at += piece.Value.Length;
        }
    }

    internal static string[] Files(string folder) => [.. Directory.EnumerateFiles(folder, "*.object", SearchOption.AllDirectories)];

    internal static string[] Unfinished(string folder) => Directory.GetFiles(Path.Combine(folder, "tmp"));
}
