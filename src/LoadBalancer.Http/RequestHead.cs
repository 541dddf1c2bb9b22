using System.Runtime.CompilerServices;

namespace LoadBalancer.Http;

/// <summary>
/// A request line with its fields, as offsets into the bytes parsed. Owned by one connection, used by one thread at a time. Strict: what two
/// implementations could read differently is rejected (RFC 9112 §11.2).
/// </summary>
public sealed class RequestHead : MessageHead
{
    private const int MethodBytesMax = 32; // the longest registered method, UPDATEREDIRECTREF, has 17
    private int _hostStart;
    private int _hostLength;

    /// <summary>Creates an empty head.</summary>
    public RequestHead()
        : base(mayStartWithEmptyLine: true)
    {
    }

    /// <summary>The method.</summary>
    public RequestMethod Method { get; private set; }

    /// <summary>Offset of the method: 0, or 2 after an empty line before the request line.</summary>
    public int MethodStart { get; private set; }

    /// <summary>Length of the method.</summary>
    public int MethodLength { get; private set; }

    /// <summary>Offset of the whole target as sent.</summary>
    public int TargetStart { get; private set; }

    /// <summary>Length of the whole target as sent.</summary>
    public int TargetLength { get; private set; }

    /// <summary>Form of the target.</summary>
    public TargetForm TargetForm { get; private set; }

    /// <summary>Offset of the authority that counts: the target's in absolute and authority form (RFC 9112 §3.2.2, §3.3), else the value of Host.</summary>
    public int AuthorityStart => _hostStart;

    /// <summary>Length of the authority; 0 when there is none, which only HTTP/1.0 allows.</summary>
    public int AuthorityLength => _hostLength;

    /// <summary>Offset of the path.</summary>
    public int PathStart { get; private set; }

    /// <summary>
    /// Length of the path without query. "*" in asterisk form. 0 in authority form, and in absolute form with an empty path, which stands for "/",
    /// or for "*": see <see cref="IsServerWide"/>.
    /// </summary>
    public int PathLength { get; private set; }

    /// <summary>Offset of the query with its '?'.</summary>
    public int QueryStart { get; private set; }

    /// <summary>Length of the query with its '?'; 0 when there is none.</summary>
    public int QueryLength { get; private set; }

    /// <summary>
    /// The server as a whole is meant, not a resource: OPTIONS with "*", or with an absolute target without path and query, which is
    /// forwarded as "*" (RFC 9112 §3.2.4).
    /// </summary>
    public bool IsServerWide => TargetForm == TargetForm.Asterisk
        || (TargetForm == TargetForm.Absolute && Method == RequestMethod.Options && PathLength == 0 && QueryLength == 0);

    /// <summary>An absolute target whose scheme is https.</summary>
    public bool IsHttpsTarget { get; private set; }

    /// <summary>Expect: 100-continue in an HTTP/1.1 request. In HTTP/1.0 it is ignored (RFC 9110 §10.1.1). May be set without a body.</summary>
    public bool ExpectContinue { get; private set; }

    /// <summary>Whether there is at least one byte of body, or chunks.</summary>
    public bool HasBody => Framing == MessageFraming.Chunked || ContentLength > 0;

    /// <summary>Value of Max-Forwards; -1 when absent, repeated or malformed. Values beyond <see cref="int.MaxValue"/> become that.</summary>
    public int MaxForwards { get; private set; } = -1;

    /// <summary>
    /// Parses a request head. The bytes start with the first byte of the message, at every call; after <see cref="ParseStatus.NeedMore"/> call again
    /// with more of them (they may have moved). What follows the head is ignored. After <see cref="ParseStatus.Complete"/> call <see cref="FieldSection.Reset"/>.
    /// </summary>
    // Hot path: per read. AllocationTests.Parse_ManyMessages_AllocatesNothing
    public ParseStatus Parse(ReadOnlySpan<byte> buffer, in HeadLimits limits) =>
        ParseSection(buffer, limits.StartLineBytesMax, limits.HeadBytesMax, limits.FieldCountMax);

    /// <inheritdoc/>
    public override void Reset()
    {
        base.Reset();
        Method = RequestMethod.Other;
        MethodStart = 0;
        MethodLength = 0;
        TargetStart = 0;
        TargetLength = 0;
        TargetForm = TargetForm.Origin;
        _hostStart = 0;
        _hostLength = 0;
        PathStart = 0;
        PathLength = 0;
        QueryStart = 0;
        QueryLength = 0;
        IsHttpsTarget = false;
        ExpectContinue = false;
        MaxForwards = -1;
    }

    private protected override RejectionReason ParseStartLine(ReadOnlySpan<byte> buffer, int start, int end)
    {
        ReadOnlySpan<byte> line = buffer[start..end];
        int methodLength;
        if (line.StartsWith("GET "u8))
        {
            Method = RequestMethod.Get;
            methodLength = 3;
        }
        else
        {
            methodLength = line.IndexOf((byte)' ');
            if (methodLength <= 0) return RejectionReason.BadStartLine;
            ReadOnlySpan<byte> method = line[..methodLength];
            if (!Syntax.IsToken(method)) return RejectionReason.BadMethod;
            if (methodLength > MethodBytesMax) return RejectionReason.MethodTooLong;
            Method = ClassifyMethod(method);
        }

        MethodStart = start;
        MethodLength = methodLength;
        int targetLength = line.Length - methodLength - " ".Length - " HTTP/1.1".Length;
        if (targetLength <= 0) return ReasonForLine(line, methodLength);
        ReadOnlySpan<byte> tail = line[^9..];
        uint minor = (uint)(tail[8] - '0');
        if (!tail.StartsWith(" HTTP/1."u8) || minor > 9) return ReasonForLine(line, methodLength);
        MinorVersion = minor == 0 ? 0 : 1;
        TargetStart = start + methodLength + 1;
        TargetLength = targetLength;
        return ParseTarget(buffer, TargetStart, TargetStart + targetLength);
    }

    private static RequestMethod ClassifyMethod(ReadOnlySpan<byte> method) => method.Length switch
    {
        3 => method.SequenceEqual("GET"u8) ? RequestMethod.Get : method.SequenceEqual("PUT"u8) ? RequestMethod.Put : RequestMethod.Other,
        4 => method.SequenceEqual("POST"u8) ? RequestMethod.Post : method.SequenceEqual("HEAD"u8) ? RequestMethod.Head : RequestMethod.Other,
        5 => method.SequenceEqual("PATCH"u8) ? RequestMethod.Patch : method.SequenceEqual("TRACE"u8) ? RequestMethod.Trace : RequestMethod.Other,
        6 => method.SequenceEqual("DELETE"u8) ? RequestMethod.Delete : RequestMethod.Other,
        7 => method.SequenceEqual("OPTIONS"u8) ? RequestMethod.Options : method.SequenceEqual("CONNECT"u8) ? RequestMethod.Connect : RequestMethod.Other,
        _ => RequestMethod.Other,
    };

    // The line does not end with " HTTP/1.x", or has no room for a target.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static RejectionReason ReasonForLine(ReadOnlySpan<byte> line, int methodLength)
    {
        ReadOnlySpan<byte> rest = line[(methodLength + 1)..];
        int space = rest.LastIndexOf((byte)' ');
        // No second space: an HTTP/0.9 simple request. At 0: an empty target. At the end: no version.
        if (space <= 0 || space == rest.Length - 1) return RejectionReason.BadStartLine;
        return ReasonForVersion(rest[(space + 1)..]);
    }

    private RejectionReason ParseTarget(ReadOnlySpan<byte> buffer, int start, int end)
    {
        if (buffer[start] == '/' && Method != RequestMethod.Connect)
        {
            TargetForm = TargetForm.Origin;
            return ParsePathAndQuery(buffer, start, end);
        }
        return ParseUnusualTarget(buffer, start, end);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private RejectionReason ParseUnusualTarget(ReadOnlySpan<byte> buffer, int start, int end)
    {
        ReadOnlySpan<byte> target = buffer[start..end];
        if (target.Contains((byte)' ')) return RejectionReason.BadStartLine;
        if (Method == RequestMethod.Connect)
        {
            // RFC 9112 §3.2.3: the port is not optional here.
            if (!Syntax.IsHostAndPort(target, portRequired: true)) return RejectionReason.BadTarget;
            TargetForm = TargetForm.Authority;
            _hostStart = start;
            _hostLength = target.Length;
            PathStart = QueryStart = end;
            return RejectionReason.None;
        }
        if (target.SequenceEqual("*"u8))
        {
            if (Method != RequestMethod.Options) return RejectionReason.BadTarget;
            TargetForm = TargetForm.Asterisk;
            PathStart = start;
            PathLength = 1;
            QueryStart = end;
            return RejectionReason.None;
        }

        int scheme;
        if (target.Length >= 7 && Syntax.EqualsLower(target[..7], "http://"u8)) scheme = 7;
        else if (target.Length >= 8 && Syntax.EqualsLower(target[..8], "https://"u8)) scheme = 8;
        else return RejectionReason.BadTarget;
        int authority = target[scheme..].IndexOfAny((byte)'/', (byte)'?');
        if (authority < 0) authority = target.Length - scheme;
        // User information is refused with the other characters no host has (RFC 9110 §4.2.4).
        if (!Syntax.IsHostAndPort(target.Slice(scheme, authority), portRequired: false)) return RejectionReason.BadHost;
        TargetForm = TargetForm.Absolute;
        IsHttpsTarget = scheme == 8;
        _hostStart = start + scheme;
        _hostLength = authority;
        return ParsePathAndQuery(buffer, start + scheme + authority, end);
    }

    private RejectionReason ParsePathAndQuery(ReadOnlySpan<byte> buffer, int start, int end)
    {
        int at = start;
        PathStart = start;
        for (; ; )
        {
            int special = buffer[at..end].IndexOfAnyExcept(Syntax.PlainPath);
            if (special < 0)
            {
                PathLength = end - start;
                QueryStart = end;
                return RejectionReason.None;
            }
            at += special;
            if (buffer[at] == '?')
            {
                PathLength = at - start;
                QueryStart = at;
                QueryLength = end - at;
                int bad = buffer[at..end].IndexOfAnyExcept(Syntax.Target);
                if (bad < 0) return RejectionReason.None;
                return buffer[at + bad] == ' ' ? RejectionReason.BadStartLine : RejectionReason.BadTarget;
            }
            if (buffer[at] != '%') return buffer[at] == ' ' ? RejectionReason.BadStartLine : RejectionReason.BadTarget;
            // An encoded NUL ends the path early for whoever keeps it in a C string.
            if (end - at < 3 || !Syntax.IsHex(buffer[at + 1]) || !Syntax.IsHex(buffer[at + 2])
                || (buffer[at + 1] == '0' && buffer[at + 2] == '0')) return RejectionReason.BadTarget;
            at += 3;
        }
    }

    private protected override RejectionReason Finish(ReadOnlySpan<byte> buffer)
    {
        int host = IndexOf(KnownField.Host);
        if (host < 0)
        {
            if (MinorVersion != 0) return RejectionReason.MissingHost; // RFC 9112 §3.2
        }
        else
        {
            if ((_repeated & (1u << (int)KnownField.Host)) != 0) return RejectionReason.RepeatedHost;
            ReadOnlySpan<byte> value = ValueOf(host, buffer);
            // §3.2.2: in absolute form the target's authority replaces Host, which must be well-formed all the same (it may be empty).
            if (!Syntax.IsHostAndPort(value, portRequired: false) && !(value.IsEmpty && TargetForm == TargetForm.Absolute)) return RejectionReason.BadHost;
            if (TargetForm is TargetForm.Origin or TargetForm.Asterisk)
            {
                _hostStart = _fields[host].ValueStart;
                _hostLength = value.Length;
            }
        }

        if (HasFramingField)
        {
            RejectionReason reason = ReadFraming(buffer, out long length);
            if (reason != RejectionReason.None) return reason;
            Framing = length < 0 ? MessageFraming.Chunked : MessageFraming.ContentLength;
            ContentLength = length;
            if (Method == RequestMethod.Trace && HasBody) return RejectionReason.UnexpectedContent; // RFC 9110 §9.3.8
        }

        if ((Present & (1u << (int)KnownField.Expect | 1u << (int)KnownField.MaxForwards)) != 0)
        {
            RejectionReason reason = FinishRareFields(buffer);
            if (reason != RejectionReason.None) return reason;
        }
        return FinishConnection(buffer);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private RejectionReason FinishRareFields(ReadOnlySpan<byte> buffer)
    {
        if (HasKnown(KnownField.Expect))
        {
            for (int i = IndexOf(KnownField.Expect); i < _fieldCount; i++)
            {
                if (_fields[i].Known == KnownField.Expect && !Syntax.EqualsLower(ValueOf(i, buffer), "100-continue"u8)) return RejectionReason.UnsupportedExpectation;
            }
            ExpectContinue = MinorVersion != 0;
        }
        if (HasKnown(KnownField.MaxForwards) && (_repeated & (1u << (int)KnownField.MaxForwards)) == 0)
        {
            MaxForwards = (int)Math.Min(Syntax.ParseLength(ValueOf(IndexOf(KnownField.MaxForwards), buffer)), int.MaxValue);
        }
        return RejectionReason.None;
    }
}
