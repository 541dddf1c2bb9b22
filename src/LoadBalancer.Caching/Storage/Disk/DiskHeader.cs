using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace LoadBalancer.Caching.Storage.Disk;

/// <summary>
/// The first bytes of a file: what lies where, with a checksum of itself, of what follows (key, tags, head), and of the table at the end, which has one for each block of the
/// body. So each byte is covered: these and the length of the file are held against each other when a file is indexed and when it is opened, a block when it is read, before
/// any byte of it is sent. (To check whole bodies at start would read the whole disk; at the first use, a gigabyte before the first byte.) CRC-32C finds torn and altered files,
/// not forged ones: the folder is its owner's.
/// </summary>
internal readonly record struct DiskHeader(long Sequence, long KeepUntil, int KeyLength, int TagsLength, int HeadLength, uint MetaSum, long BodyLength, uint TableSum)
{
    internal const int Length = 64;
    internal const int BlockBytes = 64 * 1024;

    private const uint Version = 1;

    private static ReadOnlySpan<byte> Magic => "LBCACHE\n"u8;

    internal long MetaLength => (long)KeyLength + TagsLength + HeadLength;

    internal long BodyStart => Length + MetaLength;

    internal int Blocks => (int)((BodyLength + BlockBytes - 1) / BlockBytes);

    internal long TableStart => BodyStart + BodyLength;

    internal long FileLength => TableStart + (long)Blocks * sizeof(uint);

    internal void Write(Span<byte> bytes)
    {
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[8..], Version);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[12..], KeyLength);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[16..], Sequence);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[24..], KeepUntil);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[32..], TagsLength);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[36..], HeadLength);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[40..], BodyLength);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[48..], MetaSum);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[52..], TableSum);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[56..], 0);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[60..], Checksum(bytes[..60]));
    }

    /// <summary>Reads and checks it, against the length of its file too.</summary>
    internal static bool TryRead(ReadOnlySpan<byte> bytes, long fileLength, int metaBytesMax, out DiskHeader header)
    {
        header = default;
        if (bytes.Length < Length || !bytes.StartsWith(Magic)) return false;
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[60..]) != Checksum(bytes[..60]) || BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]) != Version) return false;
        header = new(
            Sequence: BinaryPrimitives.ReadInt64LittleEndian(bytes[16..]),
            KeepUntil: BinaryPrimitives.ReadInt64LittleEndian(bytes[24..]),
            KeyLength: BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]),
            TagsLength: BinaryPrimitives.ReadInt32LittleEndian(bytes[32..]),
            HeadLength: BinaryPrimitives.ReadInt32LittleEndian(bytes[36..]),
            MetaSum: BinaryPrimitives.ReadUInt32LittleEndian(bytes[48..]),
            BodyLength: BinaryPrimitives.ReadInt64LittleEndian(bytes[40..]),
            TableSum: BinaryPrimitives.ReadUInt32LittleEndian(bytes[52..]));
        if (header.KeyLength <= 0 || header.TagsLength < 0 || header.HeadLength < 0 || header.MetaLength > metaBytesMax) return false;
        return header.BodyLength >= 0 && header.BodyLength <= fileLength && header.FileLength == fileLength;
    }

    /// <summary>CRC-32C (RFC 3720 appendix B.4); the instruction of the processor where it has one.</summary>
    internal static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        uint sum = uint.MaxValue;
        foreach (ulong word in MemoryMarshal.Cast<byte, ulong>(bytes)) sum = BitOperations.Crc32C(sum, BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word));
        foreach (byte one in bytes[(bytes.Length & ~7)..]) sum = BitOperations.Crc32C(sum, one);
        return ~sum;
    }
}
