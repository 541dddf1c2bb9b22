using System.Text;

namespace LoadBalancer.Http;

/// <summary>Recognises the fields of <see cref="KnownField"/> by length and first letter before comparing.</summary>
internal static class KnownFields
{
    // Hot path: per field line.
    internal static KnownField Of(ReadOnlySpan<byte> name)
    {
        int first = name[0] | 0x20;
        return (name.Length, (char)first) switch
        {
            (2, 't') => Is(name, "te"u8, KnownField.Te),
            (3, 'v') => Is(name, "via"u8, KnownField.Via),
            (4, 'h') => Is(name, "host"u8, KnownField.Host),
            (4, 'd') => Is(name, "date"u8, KnownField.Date),
            (6, 'e') => Is(name, "expect"u8, KnownField.Expect),
            (7, 'u') => Is(name, "upgrade"u8, KnownField.Upgrade),
            (7, 't') => Is(name, "trailer"u8, KnownField.Trailer),
            (9, 'f') => Is(name, "forwarded"u8, KnownField.Forwarded),
            (10, 'c') => Is(name, "connection"u8, KnownField.Connection),
            (10, 'k') => Is(name, "keep-alive"u8, KnownField.KeepAlive),
            (12, 'm') => Is(name, "max-forwards"u8, KnownField.MaxForwards),
            (14, 'c') => Is(name, "content-length"u8, KnownField.ContentLength),
            (14, 'h') => Is(name, "http2-settings"u8, KnownField.Http2Settings),
            (15, 'x') => Is(name, "x-forwarded-for"u8, KnownField.XForwardedFor),
            (16, 'x') => Is(name, "x-forwarded-host"u8, KnownField.XForwardedHost),
            (16, 'p') => Is(name, "proxy-connection"u8, KnownField.ProxyConnection),
            (17, 't') => Is(name, "transfer-encoding"u8, KnownField.TransferEncoding),
            (17, 'x') => Is(name, "x-forwarded-proto"u8, KnownField.XForwardedProto),
            (18, 'p') => Is(name, "proxy-authenticate"u8, KnownField.ProxyAuthenticate),
            (19, 'p') => Is(name, "proxy-authorization"u8, KnownField.ProxyAuthorization),
            _ => KnownField.Other,
        };
    }

    private static KnownField Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> expected, KnownField field) =>
        Ascii.EqualsIgnoreCase(name, expected) ? field : KnownField.Other;

    /// <summary>Fields that Connection must never take away: framing, routing, and what security rests on.</summary>
    internal static bool IsProtectedFromConnection(ReadOnlySpan<byte> name) => (name.Length, (char)(name[0] | 0x20)) switch
    {
        (4, 'h') => Ascii.EqualsIgnoreCase(name, "host"u8),
        (4, 'd') => Ascii.EqualsIgnoreCase(name, "date"u8),
        (3, 'v') => Ascii.EqualsIgnoreCase(name, "via"u8),
        (6, 'c') => Ascii.EqualsIgnoreCase(name, "cookie"u8),
        (6, 'e') => Ascii.EqualsIgnoreCase(name, "expect"u8),
        (9, 'f') => Ascii.EqualsIgnoreCase(name, "forwarded"u8),
        (10, 's') => Ascii.EqualsIgnoreCase(name, "set-cookie"u8),
        (12, 'c') => Ascii.EqualsIgnoreCase(name, "content-type"u8),
        (12, 'm') => Ascii.EqualsIgnoreCase(name, "max-forwards"u8),
        (13, 'a') => Ascii.EqualsIgnoreCase(name, "authorization"u8),
        (13, 'c') => Ascii.EqualsIgnoreCase(name, "cache-control"u8),
        (14, 'c') => Ascii.EqualsIgnoreCase(name, "content-length"u8),
        (15, 'x') or (16, 'x') or (17, 'x') => name[..12] is var start && Ascii.EqualsIgnoreCase(start, "x-forwarded-"u8),
        _ => false,
    };
}
