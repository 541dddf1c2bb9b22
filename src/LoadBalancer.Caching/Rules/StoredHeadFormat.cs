using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using LoadBalancer.Http;

namespace LoadBalancer.Caching.Rules;

/// <summary>
/// A <see cref="StoredHead"/> as bytes and back. The store checks that bytes are those that were written; here nothing of them is trusted all the same: each length is
/// checked, and the lines are parsed as strictly as those of an origin.
/// </summary>
public static class StoredHeadFormat
{
    /// <summary>Version of the form, its first byte. Others are not read.</summary>
    public const byte Version = 1;

    private const int FixedBytes = 72;
    private const long TimeMax = 253_402_300_800_000; // the end of the year 9999
    private const long SpanMax = 3L * int.MaxValue * 1000;

    private static readonly HeadLimits s_limits = new(StoredHead.LinesBytesMax, StoredHead.LinesBytesMax + 1024, 1024);

    /// <summary>Writes it.</summary>
    public static void Write(StoredHead head, IBufferWriter<byte> output)
    {
        ReadOnlySpan<byte> bytes = head.Bytes, selection = head.SelectedBy;
        int tagBytes = 0;
        foreach (string tag in head.Tags) tagBytes += 2 + tag.Length;
        int size = FixedBytes + bytes.Length + selection.Length + tagBytes;
        Span<byte> span = output.GetSpan(size)[..size];
        span[..FixedBytes].Clear();
        span[0] = Version;
        span[1] = (byte)head.Times.Source;
        span[2] = (byte)head.Times.Rules;
        BinaryPrimitives.WriteUInt16LittleEndian(span[4..], (ushort)head.Tags.Count);
        BinaryPrimitives.WriteInt64LittleEndian(span[8..], head.Times.ResponseTime);
        BinaryPrimitives.WriteInt64LittleEndian(span[16..], head.Times.InitialAge);
        BinaryPrimitives.WriteInt64LittleEndian(span[24..], head.Times.FreshUntil);
        BinaryPrimitives.WriteInt32LittleEndian(span[32..], head.Times.StaleWhileRevalidate);
        BinaryPrimitives.WriteInt32LittleEndian(span[36..], head.Times.StaleIfError);
        BinaryPrimitives.WriteInt64LittleEndian(span[40..], head.ContentLength);
        BinaryPrimitives.WriteInt32LittleEndian(span[48..], head.StatusLineLength);
        BinaryPrimitives.WriteInt32LittleEndian(span[52..], head.NotModifiedEnd);
        BinaryPrimitives.WriteInt32LittleEndian(span[56..], bytes.Length);
        BinaryPrimitives.WriteInt32LittleEndian(span[60..], selection.Length);
        BinaryPrimitives.WriteInt32LittleEndian(span[64..], size);
        bytes.CopyTo(span[FixedBytes..]);
        selection.CopyTo(span[(FixedBytes + bytes.Length)..]);
        int at = FixedBytes + bytes.Length + selection.Length;
        foreach (string tag in head.Tags)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(span[at..], (ushort)tag.Length);
            at += 2 + Encoding.Latin1.GetBytes(tag, span[(at + 2)..]);
        }
        output.Advance(size);
    }

    /// <summary>Reads it. False, and null, for whatever <see cref="Write"/> has not written.</summary>
    public static bool TryRead(ReadOnlySpan<byte> source, out StoredHead? head)
    {
        head = null;
        if (source.Length < FixedBytes || source[0] != Version || source[1] > (byte)LifetimeSource.Heuristic) return false;
        if (source[2] > (byte)(ReuseRules.AlwaysValidate | ReuseRules.NeverStale | ReuseRules.StaleOnlyIfSaid)) return false;
        if (BinaryPrimitives.ReadInt32LittleEndian(source[64..]) != source.Length) return false;
        int tagCount = BinaryPrimitives.ReadUInt16LittleEndian(source[4..]);
        var times = new StoredTimes(
            BinaryPrimitives.ReadInt64LittleEndian(source[8..]), BinaryPrimitives.ReadInt64LittleEndian(source[16..]), BinaryPrimitives.ReadInt64LittleEndian(source[24..]),
            BinaryPrimitives.ReadInt32LittleEndian(source[32..]), BinaryPrimitives.ReadInt32LittleEndian(source[36..]), (LifetimeSource)source[1], (ReuseRules)source[2]);
        if (times.ResponseTime is < 0 or > TimeMax || times.InitialAge is < 0 or > SpanMax || times.StaleWhileRevalidate < 0 || times.StaleIfError < 0) return false;
        if (times.FreshUntil < times.ResponseTime - SpanMax || times.FreshUntil > times.ResponseTime + SpanMax) return false;
        long contentLength = BinaryPrimitives.ReadInt64LittleEndian(source[40..]);
        int statusLine = BinaryPrimitives.ReadInt32LittleEndian(source[48..]), notModified = BinaryPrimitives.ReadInt32LittleEndian(source[52..]);
        int linesLength = BinaryPrimitives.ReadInt32LittleEndian(source[56..]), selectionLength = BinaryPrimitives.ReadInt32LittleEndian(source[60..]);
        source = source[FixedBytes..];
        if (contentLength < -1 || tagCount > StoredHead.TagsMax || linesLength is < 0 or > StoredHead.LinesBytesMax + 2 || linesLength > source.Length) return false;
        if (selectionLength < 0 || selectionLength > source.Length - linesLength) return false;

        byte[] lines = source[..linesLength].ToArray();
        var parsed = new ResponseHead();
        if (parsed.Parse(lines, s_limits, RequestMethod.Get) != ParseStatus.Complete || parsed.Length != linesLength) return false;
        if (parsed.FieldsStart != statusLine || !IsStorable(parsed, lines, notModified)) return false;
        ReadOnlySpan<byte> selection = source.Slice(linesLength, selectionLength);
        if (!Selection.IsValid(selection) || !TryReadTags(source[(linesLength + selectionLength)..], tagCount, out string[] tags)) return false;
        head = new(lines, statusLine, notModified, selection.ToArray(), tags, parsed, contentLength, times);
        return true;
    }

    // What the builder leaves out is not there, and the lines for a 304 end where a line ends.
    private static bool IsStorable(ResponseHead parsed, ReadOnlySpan<byte> lines, int notModified)
    {
        const uint Never = FieldSection.HopByHop | 1u << (int)KnownField.ContentLength | 1u << (int)KnownField.Trailer;
        if (parsed.Status is < 200 or 304 or 206 || (parsed.Present & Never) != 0 || !lines.StartsWith("HTTP/1.1 "u8)) return false;
        bool isBoundary = notModified == parsed.FieldsStart;
        for (int i = 0; i < parsed.FieldCount; i++)
        {
            if (CacheFields.Of(parsed.NameOf(i, lines)) is CacheField.Age or CacheField.SetCookie) return false;
            isBoundary |= parsed.Fields[i].LineEnd == notModified;
        }
        return isBoundary && parsed.HasKnown(KnownField.Date);
    }

    private static bool TryReadTags(ReadOnlySpan<byte> source, int count, out string[] tags)
    {
        tags = count == 0 ? [] : new string[count];
        for (int i = 0; i < count; i++)
        {
            if (source.Length < 2) return false;
            int length = BinaryPrimitives.ReadUInt16LittleEndian(source);
            if (length is 0 or > StoredHead.TagBytesMax || source.Length < 2 + length) return false;
            tags[i] = Encoding.Latin1.GetString(source.Slice(2, length));
            source = source[(2 + length)..];
        }
        return source.IsEmpty;
    }
}
