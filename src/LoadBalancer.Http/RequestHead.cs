using System.Text;

namespace LoadBalancer.Http;

/// <summary>Methods a proxy must tell apart.</summary>
public enum RequestMethod : byte
{
    /// <summary>Any other token.</summary>
    Other,
#pragma warning disable CS1591 // the members are the method names themselves
    Get, Head, Post, Put, Delete, Connect, Options, Trace, Patch,
#pragma warning restore CS1591
}

/// <summary>Form of the request target (RFC 9112 §3.2).</summary>
public enum TargetForm : byte
{
    /// <summary>"/path?query".</summary>
    Origin,
    /// <summary>"http://authority/path?query".</summary>
    Absolute,
    /// <summary>"host:port", CONNECT only.</summary>
    Authority,
    /// <summary>"*", OPTIONS only.</summary>
    Asterisk,
}

/// <summary>The head of a request (RFC 9112 §3).</summary>
public sealed class RequestHead : MessageHead
{
    private const int MethodBytesMax = 32;
    private int _hostCount;

    /// <summary>Makes a head ready to parse.</summary>
    public RequestHead() => Reset();

    /// <summary>The method, where it is one that matters.</summary>
    public RequestMethod Method { get; private set; }

    /// <summary>Offset and length of the method.</summary>
    public int MethodStart { get; private set; }

    /// <inheritdoc cref="MethodStart"/>
    public int MethodLength { get; private set; }

    /// <summary>Offset and length of the whole target as sent.</summary>
    public int TargetStart { get; private set; }

    /// <inheritdoc cref="TargetStart"/>
    public int TargetLength { get; private set; }

    /// <summary>Form of the target.</summary>
    public TargetForm TargetForm { get; private set; }

    /// <summary>Offset and length of the authority: that of an absolute target, which then overrides Host (RFC 9112 §3.2.2), else Host's. Empty without either.</summary>
    public int AuthorityStart { get; private set; }

    /// <inheritdoc cref="AuthorityStart"/>
    public int AuthorityLength { get; private set; }

    /// <summary>Offset and length of the path. An absolute target without path has length 0.</summary>
    public int PathStart { get; private set; }

    /// <inheritdoc cref="PathStart"/>
    public int PathLength { get; private set; }

    /// <summary>Offset and length of the query with its '?'; length 0 without one.</summary>
    public int QueryStart { get; private set; }

    /// <inheritdoc cref="QueryStart"/>
    public int QueryLength { get; private set; }

    /// <summary>Expect: 100-continue, in an HTTP/1.1 request.</summary>
    public bool ExpectContinue { get; private set; }

    /// <summary>Value of Max-Forwards; -1 when absent or malformed.</summary>
    public int MaxForwards { get; private set; }

    /// <summary>Whether body bytes follow.</summary>
    public bool HasBody => Framing == MessageFraming.Chunked || (Framing == MessageFraming.ContentLength && ContentLength > 0);

    private protected override bool AllowsLeadingEmptyLine => true;

    /// <summary>
    /// Parses what has arrived so far. On NeedMore call again with more bytes from the same start; nothing is parsed twice.
    /// </summary>
    /// <param name="buffer">The message from its first byte.</param>
    /// <param name="limits">Bounds of the head.</param>
    public ParseStatus Parse(ReadOnlySpan<byte> buffer, in HeadLimits limits) => ParseHead(buffer, limits);

    private protected override void ResetStartLine()
    {
        _hostCount = 0;
        Method = RequestMethod.Other;
        MethodStart = MethodLength = TargetStart = TargetLength = AuthorityStart = AuthorityLength = 0;
        PathStart = PathLength = QueryStart = QueryLength = 0;
        TargetForm = TargetForm.Origin;
        ExpectContinue = false;
        MaxForwards = -1;
    }

    private protected override RejectionReason ParseStartLine(ReadOnlySpan<byte> buffer, int start, int end)
    {
        ReadOnlySpan<byte> line = buffer[start..end];
        int methodLength = line.IndexOf((byte)' ');
        if (methodLength < 0) return RejectionReason.BadStartLine;
        if (methodLength == 0 || methodLength > MethodBytesMax || line[..methodLength].IndexOfAnyExcept(Characters.Token) >= 0) return RejectionReason.BadMethod;
        MethodStart = start;
        MethodLength = methodLength;
        Method = MethodOf(line[..methodLength]);

        ReadOnlySpan<byte> rest = line[(methodLength + 1)..];
        int targetLength = rest.LastIndexOf((byte)' ');
        if (targetLength <= 0) return RejectionReason.BadStartLine;
        ReadOnlySpan<byte> version = rest[(targetLength + 1)..];
        RejectionReason reason = ParseVersion(version);
        if (reason != RejectionReason.None) return reason;
        TargetStart = start + methodLength + 1;
        TargetLength = targetLength;
        return ParseTarget(rest[..targetLength]);
    }

    private RejectionReason ParseVersion(ReadOnlySpan<byte> version)
    {
        if (version.SequenceEqual("HTTP/1.1"u8)) MinorVersion = 1;
        else if (version.Length != 8 || !version.StartsWith("HTTP/"u8) || version[6] != '.' || !char.IsAsciiDigit((char)version[5]) || !char.IsAsciiDigit((char)version[7]))
            return RejectionReason.BadVersion;
        else if (version[5] != '1') return RejectionReason.UnsupportedVersion;
        else MinorVersion = version[7] == '0' ? 0 : 1;
        return RejectionReason.None;
    }

    private RejectionReason ParseTarget(ReadOnlySpan<byte> target)
    {
        if (target.IndexOfAnyExcept(Characters.Target) >= 0) return RejectionReason.BadTarget;
        int pathAt;
        if (Method == RequestMethod.Connect)
        {
            TargetForm = TargetForm.Authority;
            AuthorityStart = TargetStart;
            AuthorityLength = target.Length;
            return Characters.IsAuthority(target) && target.LastIndexOf((byte)':') > target.LastIndexOf((byte)']') ? RejectionReason.None : RejectionReason.BadTarget;
        }
        if (target[0] == '/') pathAt = 0;
        else if (target.SequenceEqual("*"u8))
        {
            if (Method != RequestMethod.Options) return RejectionReason.BadTarget;
            TargetForm = TargetForm.Asterisk;
            PathStart = TargetStart;
            PathLength = 1;
            return RejectionReason.None;
        }
        else
        {
            int scheme = target.Length > 7 && Ascii.EqualsIgnoreCase(target[..7], "http://"u8) ? 7
                : target.Length > 8 && Ascii.EqualsIgnoreCase(target[..8], "https://"u8) ? 8 : 0;
            if (scheme == 0) return RejectionReason.BadTarget;
            TargetForm = TargetForm.Absolute;
            int authorityLength = target[scheme..].IndexOfAny((byte)'/', (byte)'?');
            if (authorityLength < 0) authorityLength = target.Length - scheme;
            // No '@' in it: RFC 9110 §4.2.4 has userinfo treated as an error.
            if (!Characters.IsAuthority(target.Slice(scheme, authorityLength))) return RejectionReason.BadHost;
            AuthorityStart = TargetStart + scheme;
            AuthorityLength = authorityLength;
            pathAt = scheme + authorityLength;
        }
        int pathLength = target[pathAt..].IndexOf((byte)'?');
        if (pathLength < 0) pathLength = target.Length - pathAt;
        PathStart = TargetStart + pathAt;
        PathLength = pathLength;
        QueryStart = PathStart + pathLength;
        QueryLength = target.Length - pathAt - pathLength;
        ReadOnlySpan<byte> path = target.Slice(pathAt, pathLength);
        return path.Contains((byte)'%') && !PathNormalizer.IsEncodingValid(path) ? RejectionReason.BadTarget : RejectionReason.None;
    }

    private static RequestMethod MethodOf(ReadOnlySpan<byte> method) => method.Length switch
    {
        3 => method.SequenceEqual("GET"u8) ? RequestMethod.Get : method.SequenceEqual("PUT"u8) ? RequestMethod.Put : RequestMethod.Other,
        4 => method.SequenceEqual("POST"u8) ? RequestMethod.Post : method.SequenceEqual("HEAD"u8) ? RequestMethod.Head : RequestMethod.Other,
        5 => method.SequenceEqual("PATCH"u8) ? RequestMethod.Patch : method.SequenceEqual("TRACE"u8) ? RequestMethod.Trace : RequestMethod.Other,
        6 => method.SequenceEqual("DELETE"u8) ? RequestMethod.Delete : RequestMethod.Other,
        7 => method.SequenceEqual("OPTIONS"u8) ? RequestMethod.Options : method.SequenceEqual("CONNECT"u8) ? RequestMethod.Connect : RequestMethod.Other,
        _ => RequestMethod.Other,
    };

    private protected override RejectionReason OnField(ReadOnlySpan<byte> buffer, ref FieldLine field)
    {
        switch (field.Known)
        {
            case KnownField.Host:
                if (++_hostCount > 1) return RejectionReason.RepeatedHost;
                if (!Characters.IsAuthority(buffer.Slice(field.ValueStart, field.ValueLength))) return RejectionReason.BadHost;
                if (TargetForm is TargetForm.Absolute or TargetForm.Authority) break;
                AuthorityStart = field.ValueStart;
                AuthorityLength = field.ValueLength;
                break;
            case KnownField.Expect:
                if (!Ascii.EqualsIgnoreCase(buffer.Slice(field.ValueStart, field.ValueLength), "100-continue"u8)) return RejectionReason.UnsupportedExpectation;
                if (MinorVersion > 0) ExpectContinue = true;
                else field.IsHopByHop = true; // RFC 9110 §10.1.1: ignored in HTTP/1.0
                break;
            case KnownField.MaxForwards:
                long hops = Characters.ParseLength(buffer.Slice(field.ValueStart, field.ValueLength));
                MaxForwards = hops is < 0 or > int.MaxValue ? -1 : (int)hops;
                break;
        }
        return RejectionReason.None;
    }

    private protected override RejectionReason OnComplete(ReadOnlySpan<byte> buffer)
    {
        if (_hostCount == 0 && MinorVersion > 0) return RejectionReason.MissingHost; // RFC 9112 §3.2
        if (Method == RequestMethod.Trace && HasBody) return RejectionReason.UnexpectedContent; // RFC 9110 §9.3.8
        return RejectionReason.None;
    }
}
