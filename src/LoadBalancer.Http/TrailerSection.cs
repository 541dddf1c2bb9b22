using System.Text;

namespace LoadBalancer.Http;

/// <summary>The field lines after the last chunk (RFC 9112 §7.1.2), with the strictness of a head. Those that must not stand in a trailer (RFC 9110 §6.5.1) are marked hop-by-hop.</summary>
public sealed class TrailerSection : MessageHead
{
    private static readonly HeadLimits Limits = new(0, 8 * 1024, 32);

    /// <summary>Makes a section ready to parse.</summary>
    public TrailerSection() => Reset();

    private protected override bool AllowsLeadingEmptyLine => false;

    /// <summary>As <see cref="RequestHead.Parse"/>; <see cref="MessageHead.Length"/> counts the final empty line.</summary>
    public ParseStatus Parse(ReadOnlySpan<byte> buffer)
    {
        ParseStatus status = ParseHead(buffer, Limits);
        if (status == ParseStatus.Rejected) Rejection = RejectionReason.BadTrailer;
        return status;
    }

    private protected override void ResetStartLine() => StartLineDone = true;

    private protected override RejectionReason ParseStartLine(ReadOnlySpan<byte> buffer, int start, int end) => RejectionReason.None;

    private protected override RejectionReason OnField(ReadOnlySpan<byte> buffer, ref FieldLine field)
    {
        if (field.Known is not KnownField.Via) field.IsHopByHop = true; // every other known field routes, frames or guards
        return RejectionReason.None;
    }

    private protected override RejectionReason OnComplete(ReadOnlySpan<byte> buffer)
    {
        for (int i = 0; i < FieldCount; i++)
        {
            ref FieldLine field = ref Fields[i];
            if (field.Known == KnownField.Other && IsForbidden(buffer.Slice(field.NameStart, field.NameLength))) field.IsHopByHop = true;
        }
        return RejectionReason.None;
    }

    private static bool IsForbidden(ReadOnlySpan<byte> name) =>
        KnownFields.IsProtectedFromConnection(name)
        || (name.Length > 8 && Ascii.EqualsIgnoreCase(name[..8], "content-"u8) && !Ascii.EqualsIgnoreCase(name, "content-digest"u8))
        || Ascii.EqualsIgnoreCase(name, "set-cookie"u8) || Ascii.EqualsIgnoreCase(name, "range"u8) || Ascii.EqualsIgnoreCase(name, "location"u8)
        || Ascii.EqualsIgnoreCase(name, "www-authenticate"u8) || Ascii.EqualsIgnoreCase(name, "age"u8) || Ascii.EqualsIgnoreCase(name, "expires"u8)
        || Ascii.EqualsIgnoreCase(name, "vary"u8) || Ascii.EqualsIgnoreCase(name, "pragma"u8) || Ascii.EqualsIgnoreCase(name, "warning"u8);
}
