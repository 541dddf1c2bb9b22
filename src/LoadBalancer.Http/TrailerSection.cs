namespace LoadBalancer.Http;

/// <summary>
/// The trailer section of a chunked message (RFC 9112 §7.1.2), from the byte after the last chunk's line to the empty line. Parsed with the strictness of
/// a head. Fields that must not come in trailers are marked <see cref="FieldLine.IsHopByHop"/>: they are to be dropped.
/// </summary>
public sealed class TrailerSection : FieldSection
{
    /// <summary>Largest trailer section with its empty line, in bytes.</summary>
    public const int BytesMax = 8 * 1024; // a quarter of the default head: trailers carry checksums and gRPC status

    /// <summary>Most trailer fields.</summary>
    public const int FieldCountMax = 32;

    /// <summary>Creates an empty section.</summary>
    public TrailerSection()
        : base(hasStartLine: false, mayStartWithEmptyLine: false)
    {
    }

    /// <summary>Connection options of the message's head: fields that they name are dropped. See <see cref="MessageHead.CopyFieldOptions"/>. Null for none.</summary>
    public byte[]? FieldOptions { get; set; }

    /// <summary><see cref="RejectionReason.BadTrailer"/> when rejected, whatever the fault.</summary>
    public new RejectionReason Rejection => base.Rejection == RejectionReason.None ? RejectionReason.None : RejectionReason.BadTrailer;

    /// <summary>Parses the section; the bytes start right after the last chunk's line at every call, see <see cref="RequestHead.Parse"/>. Without trailers it is the two bytes CRLF.</summary>
    public ParseStatus Parse(ReadOnlySpan<byte> buffer) => ParseSection(buffer, int.MaxValue, BytesMax, FieldCountMax);

    private protected override RejectionReason ParseStartLine(ReadOnlySpan<byte> buffer, int start, int end) => RejectionReason.None;

    private protected override RejectionReason Finish(ReadOnlySpan<byte> buffer)
    {
        for (int i = 0; i < _fieldCount; i++)
        {
            ref FieldLine line = ref _fields[i];
            // RFC 9110 §6.5.1: no framing, routing, authentication, request modifiers, response control or content format. All known fields are such.
            line.IsHopByHop = line.Known != KnownField.Other || IsForbidden(NameOf(i, buffer)) || IsNamed(NameOf(i, buffer));
        }
        return RejectionReason.None;
    }

    private bool IsNamed(ReadOnlySpan<byte> name)
    {
        int position = 0;
        while (Syntax.NextElement(FieldOptions, ref position, out ReadOnlySpan<byte> option))
            if (System.Text.Ascii.EqualsIgnoreCase(name, option)) return true;
        return false;
    }

    private static bool IsForbidden(ReadOnlySpan<byte> name)
    {
        if (Syntax.IsXForwarded(name)) return true;
        switch (name.Length)
        {
            case 3: return Syntax.EqualsLower(name, "age"u8);
            case 4: return Syntax.EqualsLower(name, "vary"u8);
            case 5: return Syntax.EqualsLower(name, "range"u8);
            case 6: return Syntax.EqualsLower(name, "cookie"u8) || Syntax.EqualsLower(name, "pragma"u8);
            case 7: return Syntax.EqualsLower(name, "expires"u8);
            case 8: return Syntax.EqualsLower(name, "if-match"u8) || Syntax.EqualsLower(name, "if-range"u8) || Syntax.EqualsLower(name, "location"u8);
            case 9: return Syntax.EqualsLower(name, "x-real-ip"u8);
            case 10: return Syntax.EqualsLower(name, "set-cookie"u8);
            case 11: return Syntax.EqualsLower(name, "retry-after"u8);
            case 12: return Syntax.EqualsLower(name, "content-type"u8);
            case 13:
                return Syntax.EqualsLower(name, "authorization"u8) || Syntax.EqualsLower(name, "cache-control"u8)
                    || Syntax.EqualsLower(name, "content-range"u8) || Syntax.EqualsLower(name, "if-none-match"u8);
            case 16:
                return Syntax.EqualsLower(name, "content-encoding"u8) || Syntax.EqualsLower(name, "www-authenticate"u8);
            case 17: return Syntax.EqualsLower(name, "if-modified-since"u8);
            case 19: return Syntax.EqualsLower(name, "if-unmodified-since"u8);
            default: return false;
        }
    }
}
