using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace LoadBalancer.Caching.Storage.Disk;

/// <summary>Key, tags and head as they stand in a file, between header and body.</summary>
internal static class DiskMeta
{
    internal static byte[] Write<THead>(IStoredHeadFormat<THead> format, byte[] key, IReadOnlyList<string> tags, THead head, out int tagsLength, out int headLength)
        where THead : class
    {
        var writer = new ArrayBufferWriter<byte>(1024);
        writer.Write(key);
        foreach (string tag in tags)
        {
            int length = Encoding.UTF8.GetByteCount(tag);
            BinaryPrimitives.WriteUInt16LittleEndian(writer.GetSpan(2), checked((ushort)length));
            writer.Advance(2);
            Encoding.UTF8.GetBytes(tag, writer);
        }
        tagsLength = writer.WrittenCount - key.Length;
        format.Write(head, writer);
        headLength = writer.WrittenCount - key.Length - tagsLength;
        return writer.WrittenSpan.ToArray();
    }

    internal static bool TryRead<THead>(IStoredHeadFormat<THead> format, in DiskHeader header, ReadOnlySpan<byte> meta, out string[] tags, [NotNullWhen(true)] out THead? head)
        where THead : class
    {
        tags = [];
        head = null;
        if (DiskHeader.Checksum(meta) != header.MetaSum) return false;
        var found = new List<string>();
        for (ReadOnlySpan<byte> left = meta.Slice(header.KeyLength, header.TagsLength); !left.IsEmpty;)
        {
            if (left.Length < 2 || BinaryPrimitives.ReadUInt16LittleEndian(left) > left.Length - 2) return false;
            int length = BinaryPrimitives.ReadUInt16LittleEndian(left);
            found.Add(Encoding.UTF8.GetString(left.Slice(2, length)));
            left = left[(2 + length)..];
        }
        tags = [.. found];
        return format.TryRead(meta[(header.KeyLength + header.TagsLength)..], out head);
    }
}
