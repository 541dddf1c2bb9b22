using System.Text;

namespace LoadBalancer.Http;

/// <summary>
/// What requests and responses share: the field table and the framing. Reused for message after message; all members are offsets
/// into the parsed bytes, or flags. Parsing resumes where it stopped, so a head that drips in costs no more than one that arrives whole.
/// </summary>
public abstract class MessageHead
{
    private int _lineStart;  // start of the line being parsed
    private int _searched;   // no line end before here
    private int _lengthLines, _codingLines, _connectionLines;
    private bool _hasClose, _hasKeepAlive, _hasUpgradeOption, _hasTeOption;
    private bool _isChunked, _hasOtherCoding, _isCodingMalformed;
    private protected bool StartLineDone;

    /// <summary>Fields in the order received. Only the first <see cref="FieldCount"/> are meaningful.</summary>
    public FieldLine[] Fields { get; private set; } = new FieldLine[16];

    /// <summary>Number of fields.</summary>
    public int FieldCount { get; private set; }

    /// <summary>Offset of the first field line (after the start line).</summary>
    public int FieldsStart { get; private set; }

    /// <summary>Length of the head in bytes, with its empty line. Relative, as all offsets, to the start of the parsed bytes.</summary>
    public int Length { get; private set; }

    /// <summary>0 for HTTP/1.0, 1 for HTTP/1.1 and every later 1.x.</summary>
    public int MinorVersion { get; private protected set; }

    /// <summary>How the body ends.</summary>
    public MessageFraming Framing { get; private protected set; }

    /// <summary>Value of Content-Length; -1 without one.</summary>
    public long ContentLength { get; private protected set; }

    /// <summary>Whether the sender lets the connection persist (RFC 9112 §9.3).</summary>
    public bool KeepAlive { get; private set; }

    /// <summary>Connection lists "upgrade" and Upgrade names something other than h2c, in an HTTP/1.1 message.</summary>
    public bool IsUpgrade { get; private set; }

    /// <summary>TE contains "trailers" and Connection lists TE.</summary>
    public bool AcceptsTrailers { get; private set; }

    /// <summary>A bit for each <see cref="KnownField"/> that occurs at least once.</summary>
    public uint Present { get; private set; }

    /// <summary>Why the bytes were rejected.</summary>
    public RejectionReason Rejection { get; private protected set; }

    /// <summary>Whether the field occurs at least once.</summary>
    public bool HasKnown(KnownField field) => (Present & (1u << (int)field)) != 0;

    /// <summary>Index of the first line of a known field, or -1.</summary>
    public int IndexOf(KnownField field)
    {
        if (!HasKnown(field)) return -1;
        for (int i = 0; i < FieldCount; i++) if (Fields[i].Known == field) return i;
        return -1;
    }

    /// <summary>Forgets the last message.</summary>
    public void Reset()
    {
        _lineStart = _searched = _lengthLines = _codingLines = _connectionLines = 0;
        _hasClose = _hasKeepAlive = _hasUpgradeOption = _hasTeOption = false;
        _isChunked = _hasOtherCoding = _isCodingMalformed = StartLineDone = false;
        FieldCount = FieldsStart = Length = MinorVersion = 0;
        Framing = MessageFraming.None;
        ContentLength = -1;
        KeepAlive = IsUpgrade = AcceptsTrailers = false;
        Present = 0;
        Rejection = RejectionReason.None;
        ResetStartLine();
    }

    private protected abstract void ResetStartLine();

    private protected abstract RejectionReason ParseStartLine(ReadOnlySpan<byte> buffer, int start, int end);

    private protected abstract RejectionReason OnField(ReadOnlySpan<byte> buffer, ref FieldLine field);

    private protected abstract RejectionReason OnComplete(ReadOnlySpan<byte> buffer);

    /// <summary>Whether one empty line may come before the start line (RFC 9112 §2.2, requests only).</summary>
    private protected abstract bool AllowsLeadingEmptyLine { get; }

    // Hot path: per message. 0 allocations once the table has grown.
    private protected ParseStatus ParseHead(ReadOnlySpan<byte> buffer, in HeadLimits limits)
    {
        if (Rejection != RejectionReason.None) return ParseStatus.Rejected;
        while (true)
        {
            int at = buffer[_searched..].IndexOfAny(Characters.Control);
            if (at < 0 || _searched + at + 1 >= buffer.Length)
            {
                // No line end yet, or a CR as the last byte, whose LF is still to come; anything else there is an error already.
                if (at >= 0 && buffer[_searched + at] != '\r') return Reject(RejectionReason.ControlCharacter);
                _searched = at < 0 ? buffer.Length : _searched + at;
                if (!StartLineDone && buffer.Length - _lineStart > limits.StartLineBytesMax) return Reject(RejectionReason.StartLineTooLong);
                if (buffer.Length >= limits.HeadBytesMax) return Reject(RejectionReason.HeadTooLarge);
                return ParseStatus.NeedMore;
            }
            int end = _searched + at;
            if (buffer[end] != '\r' || buffer[end + 1] != '\n') return Reject(RejectionReason.ControlCharacter);
            int next = end + 2;
            if (!StartLineDone)
            {
                if (end == _lineStart && _lineStart == 0 && AllowsLeadingEmptyLine)
                {
                    _lineStart = _searched = next;
                    continue;
                }
                if (end - _lineStart > limits.StartLineBytesMax) return Reject(RejectionReason.StartLineTooLong);
                RejectionReason reason = ParseStartLine(buffer, _lineStart, end);
                if (reason != RejectionReason.None) return Reject(reason);
                StartLineDone = true;
                FieldsStart = next;
            }
            else if (end == _lineStart)
            {
                if (next > limits.HeadBytesMax) return Reject(RejectionReason.HeadTooLarge);
                Length = next;
                RejectionReason reason = Finish(buffer);
                return reason == RejectionReason.None ? ParseStatus.Complete : Reject(reason);
            }
            else
            {
                if (FieldCount >= limits.FieldCountMax) return Reject(RejectionReason.TooManyFields);
                RejectionReason reason = ParseField(buffer, end, next);
                if (reason != RejectionReason.None) return Reject(reason);
            }
            if (next > limits.HeadBytesMax) return Reject(RejectionReason.HeadTooLarge);
            _lineStart = _searched = next;
        }
    }

    private ParseStatus Reject(RejectionReason reason)
    {
        Rejection = reason;
        return ParseStatus.Rejected;
    }

    private RejectionReason ParseField(ReadOnlySpan<byte> buffer, int end, int next)
    {
        ReadOnlySpan<byte> line = buffer[_lineStart..end];
        if (line[0] is (byte)' ' or (byte)'\t') return RejectionReason.LineFolding; // RFC 9112 §5.2
        int nameLength = line.IndexOfAnyExcept(Characters.Token);
        if (nameLength < 0) return RejectionReason.MissingColon;
        if (nameLength == 0 || line[nameLength] != ':') return line.Contains((byte)':') ? RejectionReason.BadFieldName : RejectionReason.MissingColon;

        int valueStart = nameLength + 1, valueEnd = line.Length;
        while (valueStart < valueEnd && line[valueStart] is (byte)' ' or (byte)'\t') valueStart++;
        while (valueEnd > valueStart && line[valueEnd - 1] is (byte)' ' or (byte)'\t') valueEnd--;

        if (FieldCount == Fields.Length)
        {
            FieldLine[] larger = new FieldLine[Fields.Length * 2];
            Fields.CopyTo(larger, 0);
            Fields = larger;
        }
        ref FieldLine field = ref Fields[FieldCount++];
        field.NameStart = _lineStart;
        field.NameLength = (ushort)nameLength;
        field.ValueStart = _lineStart + valueStart;
        field.ValueLength = valueEnd - valueStart;
        field.LineEnd = next;
        field.IsHopByHop = false;
        field.Known = KnownFields.Of(line[..nameLength]);
        if (field.Known == KnownField.Other) return RejectionReason.None;
        Present |= 1u << (int)field.Known;
        return OnKnown(buffer, ref field);
    }

    private RejectionReason OnKnown(ReadOnlySpan<byte> buffer, ref FieldLine field)
    {
        ReadOnlySpan<byte> value = buffer.Slice(field.ValueStart, field.ValueLength);
        switch (field.Known)
        {
            case KnownField.ContentLength:
                // RFC 9112 §6.3 item 5 would allow equal values; a proxy that takes the strictest reading need not.
                if (++_lengthLines > 1) return RejectionReason.BadContentLength;
                ContentLength = Characters.ParseLength(value);
                if (ContentLength < 0) return RejectionReason.BadContentLength;
                break;
            case KnownField.TransferEncoding:
                field.IsHopByHop = true;
                OnTransferEncoding(value);
                break;
            case KnownField.Connection:
                field.IsHopByHop = true;
                _connectionLines++;
                OnConnection(value);
                break;
            case KnownField.KeepAlive or KnownField.ProxyConnection or KnownField.ProxyAuthenticate or KnownField.ProxyAuthorization
                or KnownField.Te or KnownField.Upgrade or KnownField.Http2Settings:
                field.IsHopByHop = true;
                break;
        }
        return OnField(buffer, ref field);
    }

    private void OnTransferEncoding(ReadOnlySpan<byte> value)
    {
        _codingLines++;
        if (value.IsEmpty) _isCodingMalformed = true;
        foreach (Range range in value.Split((byte)','))
        {
            ReadOnlySpan<byte> coding = value[range].Trim(" \t"u8);
            if (coding.IsEmpty || _isChunked) _isCodingMalformed = true; // something after chunked, or an empty element
            else if (Ascii.EqualsIgnoreCase(coding, "chunked"u8)) _isChunked = true;
            else if (coding.IndexOfAnyExcept(Characters.Token) >= 0 || Ascii.EqualsIgnoreCase(coding, "identity"u8)) _isCodingMalformed = true;
            else _hasOtherCoding = true;
        }
    }

    private void OnConnection(ReadOnlySpan<byte> value)
    {
        foreach (Range range in value.Split((byte)','))
        {
            ReadOnlySpan<byte> option = value[range].Trim(" \t"u8);
            if (Ascii.EqualsIgnoreCase(option, "close"u8)) _hasClose = true;
            else if (Ascii.EqualsIgnoreCase(option, "keep-alive"u8)) _hasKeepAlive = true;
            else if (Ascii.EqualsIgnoreCase(option, "upgrade"u8)) _hasUpgradeOption = true;
            else if (Ascii.EqualsIgnoreCase(option, "te"u8)) _hasTeOption = true;
        }
    }

    private RejectionReason Finish(ReadOnlySpan<byte> buffer)
    {
        if (_codingLines > 0)
        {
            // RFC 9112 §6.1: both lengths, or a coding in HTTP/1.0, is how requests are smuggled.
            if (_lengthLines > 0) return RejectionReason.LengthAndTransferEncoding;
            if (MinorVersion == 0) return RejectionReason.TransferEncodingInHttp10;
            if (_isCodingMalformed) return RejectionReason.BadTransferEncoding;
            if (_hasOtherCoding) return RejectionReason.UnsupportedTransferEncoding;
            Framing = MessageFraming.Chunked;
        }
        else if (_lengthLines > 0) Framing = MessageFraming.ContentLength;
        KeepAlive = !_hasClose && (MinorVersion > 0 || _hasKeepAlive);
        if (_connectionLines > 0)
        {
            MarkNamedByConnection(buffer);
            if (_hasUpgradeOption && MinorVersion > 0 && HasKnown(KnownField.Upgrade)) IsUpgrade = HasListElement(buffer, KnownField.Upgrade, "h2c"u8, other: true);
            if (_hasTeOption) AcceptsTrailers = HasListElement(buffer, KnownField.Te, "trailers"u8, other: false);
        }
        return OnComplete(buffer);
    }

    /// <summary>Whether the list field has the element (or, with <paramref name="other"/>, any element but that).</summary>
    private bool HasListElement(ReadOnlySpan<byte> buffer, KnownField known, ReadOnlySpan<byte> element, bool other)
    {
        for (int i = 0; i < FieldCount; i++)
        {
            ref FieldLine field = ref Fields[i];
            if (field.Known != known) continue;
            ReadOnlySpan<byte> value = buffer.Slice(field.ValueStart, field.ValueLength);
            foreach (Range range in value.Split((byte)','))
            {
                ReadOnlySpan<byte> item = value[range].Trim(" \t"u8);
                if (!item.IsEmpty && Ascii.EqualsIgnoreCase(item, element) != other) return true;
            }
        }
        return false;
    }

    private void MarkNamedByConnection(ReadOnlySpan<byte> buffer)
    {
        for (int i = 0; i < FieldCount; i++)
        {
            if (Fields[i].Known != KnownField.Connection) continue;
            ReadOnlySpan<byte> value = buffer.Slice(Fields[i].ValueStart, Fields[i].ValueLength);
            foreach (Range range in value.Split((byte)','))
            {
                ReadOnlySpan<byte> option = value[range].Trim(" \t"u8);
                if (option.IsEmpty || KnownFields.IsProtectedFromConnection(option)) continue;
                for (int j = 0; j < FieldCount; j++)
                {
                    ref FieldLine named = ref Fields[j];
                    if (named.NameLength == option.Length && Ascii.EqualsIgnoreCase(buffer.Slice(named.NameStart, named.NameLength), option))
                        named.IsHopByHop = true;
                }
            }
        }
    }
}
