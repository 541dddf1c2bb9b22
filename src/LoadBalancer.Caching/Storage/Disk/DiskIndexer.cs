using LoadBalancer.Caching.Storage.Memory;
using Microsoft.Win32.SafeHandles;

namespace LoadBalancer.Caching.Storage.Disk;

/// <summary>Reads what the index needs of a file: header, key, tags, head.</summary>
internal static class DiskIndexer
{
    /// <summary>Null when the file is not whole, not of this version, or not understood.</summary>
    internal static StoredObject<THead>? TryRead<THead>(DiskFolder folder, string path, DiskStoreOptions options, IStoredHeadFormat<THead> format)
        where THead : class
    {
        using SafeFileHandle handle = File.OpenHandle(path);
        Span<byte> bytes = stackalloc byte[DiskHeader.Length];
        if (!DiskReader.ReadExactly(handle, bytes, 0)) return null;
        if (!DiskHeader.TryRead(bytes, RandomAccess.GetLength(handle), options.MetaBytesMax, out DiskHeader header) || header.BodyLength > options.BytesMax / 8) return null;
        byte[] meta = new byte[header.MetaLength];
        if (!DiskReader.ReadExactly(handle, meta, DiskHeader.Length)) return null;
        if (!DiskMeta.TryRead(format, header, meta, out string[] tags, out THead? head)) return null;
        byte[] key = meta[..header.KeyLength];
        return new(options.Hasher.Hash(key), key, head, tags, header.KeepUntil, new DiskFile(folder, path, header));
    }
}
