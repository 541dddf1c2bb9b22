namespace LoadBalancer.Http;

/// <summary>The head of a response (RFC 9112 §4).</summary>
public sealed class ResponseHead : MessageHead
{
    private RequestMethod _requestMethod;

    /// <summary>Makes a head ready to parse.</summary>
    public ResponseHead() => Reset();

    /// <summary>100 to 599.</summary>
    public int Status { get; private set; }

    /// <summary>Offset and length of the reason phrase; may be empty.</summary>
    public int ReasonStart { get; private set; }

    /// <inheritdoc cref="ReasonStart"/>
    public int ReasonLength { get; private set; }

    private protected override bool AllowsLeadingEmptyLine => false;

    /// <summary>As <see cref="RequestHead.Parse"/>. The method answered decides whether there is a body.</summary>
    public ParseStatus Parse(ReadOnlySpan<byte> buffer, in HeadLimits limits, RequestMethod requestMethod)
    {
        _requestMethod = requestMethod;
        return ParseHead(buffer, limits);
    }

    private protected override void ResetStartLine() => Status = ReasonStart = ReasonLength = 0;

    private protected override RejectionReason ParseStartLine(ReadOnlySpan<byte> buffer, int start, int end)
    {
        ReadOnlySpan<byte> line = buffer[start..end];
        if (line.Length < 12 || !line.StartsWith("HTTP/"u8) || line[6] != '.' || line[8] != ' ') return RejectionReason.BadStartLine;
        if (line[5] != '1') return char.IsAsciiDigit((char)line[5]) ? RejectionReason.UnsupportedVersion : RejectionReason.BadVersion;
        if (!char.IsAsciiDigit((char)line[7])) return RejectionReason.BadVersion;
        MinorVersion = line[7] == '0' ? 0 : 1;
        for (int i = 9; i < 12; i++)
        {
            if (!char.IsAsciiDigit((char)line[i])) return RejectionReason.BadStatus;
            Status = Status * 10 + line[i] - '0';
        }
        if (Status is < 100 or > 599) return RejectionReason.BadStatus;
        // The space before an empty reason phrase is left out by real servers; nothing can be made of it.
        if (line.Length > 12 && line[12] != ' ') return RejectionReason.BadStatus;
        ReasonStart = start + Math.Min(13, line.Length);
        ReasonLength = end - ReasonStart;
        return RejectionReason.None;
    }

    private protected override RejectionReason OnField(ReadOnlySpan<byte> buffer, ref FieldLine field) => RejectionReason.None;

    private protected override RejectionReason OnComplete(ReadOnlySpan<byte> buffer)
    {
        if (Status is < 200 or 204)
        {
            // RFC 9110 §8.6, RFC 9112 §6.1: no length and no coding here. "Content-Length: 0" with 204 is common and harmless: dropped.
            if (Framing == MessageFraming.Chunked) return RejectionReason.UnexpectedContent;
            if (Framing == MessageFraming.ContentLength)
            {
                if (ContentLength != 0 || Status < 200) return RejectionReason.UnexpectedContent;
                Fields[IndexOf(KnownField.ContentLength)].IsHopByHop = true;
            }
            Framing = MessageFraming.None;
        }
        else if (Status == 304 || _requestMethod == RequestMethod.Head) Framing = MessageFraming.None;
        else if (Framing == MessageFraming.None) Framing = MessageFraming.UntilClose;
        return RejectionReason.None;
    }
}
