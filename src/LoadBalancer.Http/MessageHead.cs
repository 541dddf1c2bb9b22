using System.Runtime.CompilerServices;

namespace LoadBalancer.Http;

/// <summary>
/// What requests and responses share: the field table and the framing. Owned by one connection, used by one thread at a time, reused for
/// message after message; all members are offsets or flags.
/// </summary>
public abstract class MessageHead : FieldSection
{
    private protected MessageHead(bool mayStartWithEmptyLine)
        : base(hasStartLine: true, mayStartWithEmptyLine)
    {
    }

    // RFC 9110 §7.6.1: an option must not name a field that is meant for the final recipient. Removing one of these at a client's
    // wish would hide credentials or the client's address from the origin, or change the framing or the meaning of the content.
    private const uint Protected =
        1u << (int)KnownField.Host | 1u << (int)KnownField.ContentLength | 1u << (int)KnownField.Forwarded | 1u << (int)KnownField.Via
        | 1u << (int)KnownField.XForwardedFor | 1u << (int)KnownField.XForwardedProto | 1u << (int)KnownField.XForwardedHost
        | 1u << (int)KnownField.Date;

    /// <summary>0 for HTTP/1.0, 1 for HTTP/1.1 and every later 1.x.</summary>
    public int MinorVersion { get; private protected set; }

    /// <summary>How the body ends.</summary>
    public MessageFraming Framing { get; private protected set; }

    /// <summary>Body length when <see cref="Framing"/> is ContentLength. For a response to HEAD or a 304 with Content-Length, its value; else -1.</summary>
    public long ContentLength { get; private protected set; } = -1;

    /// <summary>Whether the sender lets the connection persist (RFC 9112 §9.3): close/keep-alive options and version taken together.</summary>
    public bool KeepAlive { get; private protected set; }

    /// <summary>
    /// Connection contains the option "upgrade" and an Upgrade field names a protocol other than h2c, in an HTTP/1.1 message. h2c
    /// (RFC 7540 §3.2, withdrawn by RFC 9113) is a known way to smuggle requests past a proxy and does not count.
    /// </summary>
    public bool IsUpgrade { get; private protected set; }

    /// <summary>TE contains "trailers" (and Connection lists TE).</summary>
    public bool AcceptsTrailers { get; private protected set; }

    // Connection has options other than those that are known not to name an end-to-end field.
    private bool _namesFields;

    /// <summary>
    /// The values of Connection as one list, copied, when they may name fields; else null. For the trailers, to which the options apply
    /// too (RFC 9110 §7.6.1) and which come when the bytes of the head may be gone.
    /// </summary>
    public byte[]? CopyFieldOptions(ReadOnlySpan<byte> buffer)
    {
        if (!_namesFields) return null;
        var options = new List<byte>();
        for (int i = IndexOf(KnownField.Connection); i < _fieldCount; i++)
        {
            if (_fields[i].Known != KnownField.Connection) continue;
            options.AddRange(ValueOf(i, buffer));
            options.Add((byte)',');
        }
        return [.. options];
    }

    /// <inheritdoc/>
    public override void Reset()
    {
        base.Reset();
        MinorVersion = 0;
        Framing = MessageFraming.None;
        ContentLength = -1;
        KeepAlive = false;
        IsUpgrade = false;
        AcceptsTrailers = false;
        _namesFields = false;
    }

    // KeepAlive, IsUpgrade, AcceptsTrailers and the hop-by-hop marks of fields named by Connection.
    private protected RejectionReason FinishConnection(ReadOnlySpan<byte> buffer)
    {
        KeepAlive = MinorVersion != 0;
        if (!HasKnown(KnownField.Connection)) return RejectionReason.None;
        if ((_repeated & (1u << (int)KnownField.Connection)) == 0)
        {
            ReadOnlySpan<byte> value = ValueOf(IndexOf(KnownField.Connection), buffer);
            if (Syntax.EqualsLower(value, "keep-alive"u8))
            {
                KeepAlive = true;
                return RejectionReason.None;
            }
            if (Syntax.EqualsLower(value, "close"u8))
            {
                KeepAlive = false;
                return RejectionReason.None;
            }
        }
        return FinishConnectionOptions(buffer);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private RejectionReason FinishConnectionOptions(ReadOnlySpan<byte> buffer)
    {
        bool close = false;
        bool keepAlive = false;
        bool upgrade = false;
        bool te = false;
        int named = 0;
        for (int i = IndexOf(KnownField.Connection); i < _fieldCount; i++)
        {
            if (_fields[i].Known != KnownField.Connection) continue;
            ReadOnlySpan<byte> list = ValueOf(i, buffer);
            int position = 0;
            while (Syntax.NextElement(list, ref position, out ReadOnlySpan<byte> option))
            {
                if (Syntax.EqualsLower(option, "close"u8)) close = true;
                else if (Syntax.EqualsLower(option, "keep-alive"u8)) keepAlive = true;
                else if (Syntax.EqualsLower(option, "upgrade"u8)) upgrade = true;
                else if (Syntax.EqualsLower(option, "te"u8)) te = true;
                else if (Syntax.IsToken(option)) // what is no token can name no field
                {
                    if (++named > NamedOptionsMax) return RejectionReason.TooManyFields;
                    MarkNamed(buffer, option);
                }
            }
        }

        _namesFields = named > 0;
        // RFC 9112 §9.3: close wins; HTTP/1.0 persists only when asked to.
        KeepAlive = !close && (keepAlive || MinorVersion != 0);
        if (MinorVersion == 0) return RejectionReason.None;
        IsUpgrade = upgrade && HasKnown(KnownField.Upgrade) && AnyElement(buffer, KnownField.Upgrade, static e => !e.IsEmpty && !Syntax.EqualsLower(e, "h2c"u8));
        AcceptsTrailers = te && HasKnown(KnownField.Te) && AnyElement(buffer, KnownField.Te, static e => Syntax.EqualsLower(e, "trailers"u8));
        return RejectionReason.None;
    }

    private delegate bool ElementTest(ReadOnlySpan<byte> element);

    private bool AnyElement(ReadOnlySpan<byte> buffer, KnownField field, ElementTest test)
    {
        for (int i = IndexOf(field); i < _fieldCount; i++)
        {
            if (_fields[i].Known != field) continue;
            int position = 0;
            while (Syntax.NextElement(ValueOf(i, buffer), ref position, out ReadOnlySpan<byte> element)) if (test(element)) return true;
        }
        return false;
    }

    private void MarkNamed(ReadOnlySpan<byte> buffer, ReadOnlySpan<byte> option)
    {
        if (IsProtectedName(option)) return;
        for (int i = 0; i < _fieldCount; i++)
        {
            ref FieldLine line = ref _fields[i];
            if (line.NameLength != option.Length || line.IsHopByHop) continue;
            if ((Protected & (1u << (int)line.Known)) != 0) continue;
            if (System.Text.Ascii.EqualsIgnoreCase(NameOf(i, buffer), option)) line.IsHopByHop = true;
        }
    }

    // Protected fields that are not in KnownField.
    private static bool IsProtectedName(ReadOnlySpan<byte> name) => Syntax.IsXForwarded(name) || name.Length switch
    {
        6 => Syntax.EqualsLower(name, "cookie"u8),
        9 => Syntax.EqualsLower(name, "x-real-ip"u8),
        10 => Syntax.EqualsLower(name, "set-cookie"u8),
        12 => Syntax.EqualsLower(name, "content-type"u8),
        13 => Syntax.EqualsLower(name, "authorization"u8) || Syntax.EqualsLower(name, "cache-control"u8) || Syntax.EqualsLower(name, "content-range"u8),
        16 => Syntax.EqualsLower(name, "content-encoding"u8),
        _ => false,
    };

    // RFC 9112 §6.1, §6.3. Called when at least one of Transfer-Encoding and Content-Length is present. Sets length to -1 for chunked.
    private protected RejectionReason ReadFraming(ReadOnlySpan<byte> buffer, out long length)
    {
        length = -1;
        if (HasKnown(KnownField.TransferEncoding))
        {
            // §6.3 item 3: both present is how requests are smuggled; reject, as a proxy may not guess.
            if (HasKnown(KnownField.ContentLength)) return RejectionReason.LengthAndTransferEncoding;
            // §6.1: a 1.0 sender with Transfer-Encoding must be treated as having faulty framing.
            if (MinorVersion == 0) return RejectionReason.TransferEncodingInHttp10;
            return ReadTransferEncoding(buffer);
        }

        // §6.3 item 5 lets a proxy unify equal values; some origins take the first and some the last of what they see, so we do not.
        if ((_repeated & (1u << (int)KnownField.ContentLength)) != 0) return RejectionReason.BadContentLength;
        length = Syntax.ParseLength(ValueOf(IndexOf(KnownField.ContentLength), buffer));
        return length < 0 ? RejectionReason.BadContentLength : RejectionReason.None;
    }

    private RejectionReason ReadTransferEncoding(ReadOnlySpan<byte> buffer)
    {
        int first = IndexOf(KnownField.TransferEncoding);
        if ((_repeated & (1u << (int)KnownField.TransferEncoding)) == 0 && Syntax.EqualsLower(ValueOf(first, buffer), "chunked"u8)) return RejectionReason.None;

        bool others = false;
        bool chunked = false;
        for (int i = first; i < _fieldCount; i++)
        {
            if (_fields[i].Known != KnownField.TransferEncoding) continue;
            int position = 0;
            while (Syntax.NextElement(ValueOf(i, buffer), ref position, out ReadOnlySpan<byte> coding))
            {
                // Also empty elements and parameters: no sender makes them, and recipients disagree about them. §7.1: chunked comes once and last.
                if (chunked || !Syntax.IsToken(coding) || Syntax.EqualsLower(coding, "identity"u8)) return RejectionReason.BadTransferEncoding;
                if (Syntax.EqualsLower(coding, "chunked"u8)) chunked = true;
                else others = true;
            }
        }
        if (!chunked) return RejectionReason.BadTransferEncoding;
        return others ? RejectionReason.UnsupportedTransferEncoding : RejectionReason.None;
    }

    private protected bool HasFramingField =>
        (Present & (1u << (int)KnownField.TransferEncoding | 1u << (int)KnownField.ContentLength)) != 0;

    // HTTP-version (RFC 9112 §2.3) that is not HTTP/1.x.
    private protected static RejectionReason ReasonForVersion(ReadOnlySpan<byte> version) =>
        version.Length == 8 && version.StartsWith("HTTP/"u8) && char.IsAsciiDigit((char)version[5]) && version[6] == '.' && char.IsAsciiDigit((char)version[7])
            ? RejectionReason.UnsupportedVersion
            : RejectionReason.BadVersion;
}
