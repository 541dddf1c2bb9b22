namespace LoadBalancer.Http;

/// <summary>
/// A status line with its fields, as offsets into the bytes parsed. Owned by one upstream connection, used by one thread at a time. As strict as
/// <see cref="RequestHead"/>: a response that can be read in two ways can be smuggled as well as a request.
/// </summary>
public sealed class ResponseHead : MessageHead
{
    private RequestMethod _requestMethod;

    /// <summary>Creates an empty head.</summary>
    public ResponseHead()
        : base(mayStartWithEmptyLine: false)
    {
    }

    /// <summary>Status code, 100 to 599.</summary>
    public int Status { get; private set; }

    /// <summary>Offset of the reason phrase.</summary>
    public int ReasonStart { get; private set; }

    /// <summary>Length of the reason phrase; may be 0.</summary>
    public int ReasonLength { get; private set; }

    /// <summary>
    /// Parses a response head; see <see cref="RequestHead.Parse"/> for how calls continue. The method is that of the request the response belongs
    /// to: it decides about the body (RFC 9112 §6.3). <see cref="HeadLimits.StartLineBytesMax"/> is not used.
    /// </summary>
    /// <remarks>
    /// A 1xx leaves <see cref="MessageHead.Framing"/> at None: call <see cref="FieldSection.Reset"/> and parse the next head, unless it is a 101 with
    /// <see cref="MessageHead.IsUpgrade"/>, after which the connection is no longer HTTP. A 101 without it is not valid.
    /// </remarks>
    // Hot path: per read. AllocationTests.Parse_ManyMessages_AllocatesNothing
    public ParseStatus Parse(ReadOnlySpan<byte> buffer, in HeadLimits limits, RequestMethod requestMethod)
    {
        _requestMethod = requestMethod;
        return ParseSection(buffer, int.MaxValue, limits.HeadBytesMax, limits.FieldCountMax);
    }

    /// <inheritdoc/>
    public override void Reset()
    {
        base.Reset();
        Status = 0;
        ReasonStart = 0;
        ReasonLength = 0;
    }

    private protected override RejectionReason ParseStartLine(ReadOnlySpan<byte> buffer, int start, int end)
    {
        ReadOnlySpan<byte> line = buffer[start..end];
        if (line.Length < 9 || !line.StartsWith("HTTP/1."u8) || !char.IsAsciiDigit((char)line[7]) || line[8] != ' ') return ReasonForLine(line);
        MinorVersion = line[7] == '0' ? 0 : 1;
        if (line.Length < 12) return RejectionReason.BadStatus;
        uint hundreds = (uint)(line[9] - '0');
        uint tens = (uint)(line[10] - '0');
        uint ones = (uint)(line[11] - '0');
        if (hundreds is < 1 or > 5 || tens > 9 || ones > 9) return RejectionReason.BadStatus;
        Status = (int)(hundreds * 100 + tens * 10 + ones);
        ReasonStart = end;
        if (line.Length > 12)
        {
            if (line[12] != ' ') return RejectionReason.BadStatus;
            ReasonStart = start + 13;
            ReasonLength = end - ReasonStart;
        }
        // else: RFC 9112 §4 wants a space also before an empty reason, but servers in use leave it out, and nothing is ambiguous without it.
        return RejectionReason.None;
    }

    private static RejectionReason ReasonForLine(ReadOnlySpan<byte> line)
    {
        if (!line.StartsWith("HTTP/"u8)) return RejectionReason.BadStartLine;
        int space = line.IndexOf((byte)' ');
        ReadOnlySpan<byte> version = space < 0 ? line : line[..space];
        RejectionReason reason = ReasonForVersion(version);
        // "HTTP/1.1" alone: the version is good, the status is missing.
        return reason == RejectionReason.UnsupportedVersion && version[5] == '1' ? RejectionReason.BadStartLine : reason;
    }

    private protected override RejectionReason Finish(ReadOnlySpan<byte> buffer)
    {
        long length = -1;
        bool framed = HasFramingField;
        if (framed)
        {
            RejectionReason reason = ReadFraming(buffer, out length);
            if (reason != RejectionReason.None) return reason;
        }

        RejectionReason connection = FinishConnection(buffer);
        if (connection != RejectionReason.None) return connection;

        // RFC 9112 §6.3, item by item.
        if (Status < 200 || Status == 204)
        {
            if (!framed) return RejectionReason.None;
            // RFC 9110 §8.6, RFC 9112 §6.1: neither field may be here. "Content-Length: 0" with 204 comes from real servers and does no harm: dropped.
            if (length != 0 || Status != 204) return RejectionReason.UnexpectedContent;
            _fields[IndexOf(KnownField.ContentLength)].IsHopByHop = true;
        }
        else if (_requestMethod == RequestMethod.Head || Status == 304)
        {
            ContentLength = length; // what a GET would have got; forwarded, but no body follows
        }
        else if (_requestMethod == RequestMethod.Connect && Status < 300)
        {
            // A tunnel begins; length and coding are to be ignored (item 2).
        }
        else if (framed)
        {
            Framing = length < 0 ? MessageFraming.Chunked : MessageFraming.ContentLength;
            ContentLength = length;
        }
        else
        {
            Framing = MessageFraming.UntilClose;
            KeepAlive = false;
        }
        return RejectionReason.None;
    }
}
