using LoadBalancer.Http;

namespace LoadBalancer.Caching.Rules;

/// <summary>
/// What is kept of a response beside its body: its lines as they go to clients, its times, its validators, and for which requests it was selected. Immutable; any
/// thread. Made by <see cref="StoredHeadBuilder"/> or read by <see cref="StoredHeadFormat"/>.
/// </summary>
public sealed class StoredHead
{
    /// <summary>Largest head, in bytes of its lines.</summary>
    public const int LinesBytesMax = 64 * 1024;

    /// <summary>Most tags.</summary>
    public const int TagsMax = 256;

    /// <summary>Longest tag, in bytes.</summary>
    public const int TagBytesMax = 1024;

    // Age, Content-Length and Content-Range, with their numbers; the longest of our own status lines.
    private const int OwnBytesMax = 192;
    private const int ObjectBytes = 200;

    private readonly byte[] _bytes; // a whole head, with its empty line
    private readonly byte[] _selection;
    private readonly int _statusLineLength, _notModifiedEnd;
    private readonly int _etagStart, _etagLength, _typeStart, _typeLength;

    internal StoredHead(byte[] bytes, int statusLineLength, int notModifiedEnd, byte[] selection, string[] tags, ResponseHead parsed, long contentLength, in StoredTimes times)
    {
        _bytes = bytes;
        _statusLineLength = statusLineLength;
        _notModifiedEnd = notModifiedEnd;
        _selection = selection;
        Tags = tags;
        Status = parsed.Status;
        ContentLength = contentLength;
        Times = times;
        for (int i = 0; i < parsed.FieldCount; i++)
        {
            ref FieldLine line = ref parsed.Fields[i];
            if (line.Known == KnownField.Date) Date = HttpTime.Read(parsed.ValueOf(i, bytes));
            if (line.Known != KnownField.Other) continue;
            switch (CacheFields.Of(parsed.NameOf(i, bytes)))
            {
                case CacheField.ETag when _etagLength == 0 && EntityTag.IsValid(parsed.ValueOf(i, bytes)): (_etagStart, _etagLength) = (line.ValueStart, line.ValueLength); break;
                case CacheField.ContentType: (_typeStart, _typeLength) = (line.ValueStart, line.ValueLength); break;
                case CacheField.LastModified when LastModified == ResponseFacts.NoDate:
                    LastModified = HttpTime.Read(parsed.ValueOf(i, bytes));
                    (LastModifiedStart, LastModifiedLength) = (line.ValueStart, line.ValueLength);
                    break;
            }
        }
    }

    /// <summary>The status.</summary>
    public int Status { get; }

    /// <summary>Age and freshness.</summary>
    public StoredTimes Times { get; }

    /// <summary>The entity tag with its quotes and W/; empty for none.</summary>
    public ReadOnlySpan<byte> ETag => _bytes.AsSpan(_etagStart, _etagLength);

    /// <summary>Last-Modified in milliseconds since the Unix epoch, or <see cref="ResponseFacts.NoDate"/>.</summary>
    public long LastModified { get; } = ResponseFacts.NoDate;

    /// <summary>Date in milliseconds since the Unix epoch: the origin's, or when the response came.</summary>
    public long Date { get; } = ResponseFacts.NoDate;

    /// <summary>Last-Modified as the origin wrote it; empty for none.</summary>
    public ReadOnlySpan<byte> LastModifiedValue => _bytes.AsSpan(LastModifiedStart, LastModifiedLength);

    /// <summary>Content-Type; empty for none.</summary>
    public ReadOnlySpan<byte> ContentType => _bytes.AsSpan(_typeStart, _typeLength);

    /// <summary>Content-Length as the origin said it; -1 where it did not.</summary>
    public long ContentLength { get; }

    /// <summary>By which it may be purged: from Surrogate-Key and Cache-Tag. Ordinal, no duplicates.</summary>
    public IReadOnlyList<string> Tags { get; }

    /// <summary>Can be revalidated.</summary>
    public bool HasValidator => _etagLength > 0 || LastModified != ResponseFacts.NoDate;

    /// <summary>For which requests it was selected (RFC 9111 §4.1): see <see cref="Selection"/>. Empty without Vary.</summary>
    public ReadOnlySpan<byte> SelectedBy => _selection;

    /// <summary>
    /// Status line and field lines as they go to clients, without the empty line; without Age, Content-Length and what is for one hop, with Date. The lines that a
    /// 304 carries come first.
    /// </summary>
    public ReadOnlySpan<byte> Lines => _bytes.AsSpan(0, _bytes.Length - 2);

    /// <summary>Memory that it takes, in bytes.</summary>
    public int SizeBytes => ObjectBytes + _bytes.Length + _selection.Length;

    /// <summary>Room that each of the Write methods needs at most, in bytes.</summary>
    public int WrittenBytesMax => _bytes.Length + OwnBytesMax;

    internal int StatusLineLength => _statusLineLength;

    internal int NotModifiedEnd => _notModifiedEnd;

    internal byte[] Bytes => _bytes;

    private int LastModifiedStart { get; }

    private int LastModifiedLength { get; }

    /// <summary>Whether it may answer the request, as far as Vary goes (RFC 9111 §4.1).</summary>
    // Hot path: per look-up. 0 allocations. RulesAllocationTests.AHit_AllocatesNothing
    public bool IsSelectedBy(RequestHead request, ReadOnlySpan<byte> requestBytes) => _selection.Length == 0 || Selection.Matches(_selection, request, requestBytes);

    /// <summary>Writes status line, lines, Age and Content-Length, but not the empty line. Returns the length.</summary>
    /// <param name="destination">At least <see cref="WrittenBytesMax"/>.</param>
    /// <param name="bodyLength">Length of the body; -1 when another framing is written by the caller.</param>
    /// <param name="age">The value of Age, in seconds.</param>
    // Hot path: per hit. 0 allocations, one copy. RulesAllocationTests.AHit_AllocatesNothing
    public int Write(Span<byte> destination, long bodyLength, int age)
    {
        ReadOnlySpan<byte> lines = Lines;
        lines.CopyTo(destination);
        int length = lines.Length + WriteNumber(destination[lines.Length..], "Age: "u8, age);
        if (bodyLength >= 0 && Status != 204) length += WriteNumber(destination[length..], "Content-Length: "u8, bodyLength);
        return length;
    }

    /// <summary>
    /// Writes a 304 (RFC 9110 §15.4.5): all lines but those that describe the content (Content-Type, -Encoding, -Language, digests, and Last-Modified beside an ETag), and Age.
    /// </summary>
    /// <param name="destination">At least <see cref="WrittenBytesMax"/>.</param>
    /// <param name="age">The value of Age, in seconds.</param>
    public int WriteNotModified(Span<byte> destination, int age)
    {
        int length = Append(destination, 0, "HTTP/1.1 304 Not Modified\r\n"u8);
        length = Append(destination, length, _bytes.AsSpan(_statusLineLength, _notModifiedEnd - _statusLineLength));
        return length + WriteNumber(destination[length..], "Age: "u8, age);
    }

    /// <summary>Writes a 206 with one part (RFC 9110 §15.3.7.1): all lines, Content-Range, Content-Length and Age.</summary>
    /// <param name="destination">At least <see cref="WrittenBytesMax"/>.</param>
    /// <param name="range">Which part.</param>
    /// <param name="bodyLength">Length of the whole body.</param>
    /// <param name="age">The value of Age, in seconds.</param>
    public int WritePartial(Span<byte> destination, in ByteRange range, long bodyLength, int age)
    {
        int length = Append(destination, 0, "HTTP/1.1 206 Partial Content\r\n"u8);
        length = Append(destination, length, Lines[_statusLineLength..]);
        length = Append(destination, length, "Content-Range: bytes "u8);
        length += HeadWriter.WriteInt64(destination[length..], range.First);
        destination[length++] = (byte)'-';
        length += HeadWriter.WriteInt64(destination[length..], range.Last);
        destination[length++] = (byte)'/';
        length += HeadWriter.WriteInt64(destination[length..], bodyLength);
        length = Append(destination, length, "\r\n"u8);
        length += WriteNumber(destination[length..], "Content-Length: "u8, range.Length);
        return length + WriteNumber(destination[length..], "Age: "u8, age);
    }

    /// <summary>Writes a 416 without content (RFC 9110 §15.5.17), but for Date and the empty line. Needs 128 bytes.</summary>
    public static int WriteUnsatisfiable(Span<byte> destination, long bodyLength)
    {
        int length = Append(destination, 0, "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n"u8);
        return length + WriteNumber(destination[length..], "Content-Range: bytes */"u8, bodyLength);
    }

    private static int WriteNumber(Span<byte> destination, ReadOnlySpan<byte> name, long value)
    {
        int length = Append(destination, 0, name);
        length += HeadWriter.WriteInt64(destination[length..], value);
        return Append(destination, length, "\r\n"u8);
    }

    private static int Append(Span<byte> destination, int at, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(destination[at..]);
        return at + bytes.Length;
    }
}
