using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace LoadBalancer.Schemas.Patterns;

/// <summary>Whether a string, in UTF-8, is of a format.</summary>
internal delegate bool FormatTest(ReadOnlySpan<byte> text);

/// <summary>The formats that can be asserted (2020-12 validation §7.3, and OpenAPI's byte). Others are annotations, always.</summary>
internal static class Formats
{
    private const int HostNameMax = 253, LabelMax = 63;

    private static readonly SearchValues<byte> NotInUri = SearchValues.Create([.. Enumerable.Range(0, 0x21).Select(c => (byte)c), .. "\"<>\\^`{|}"u8.ToArray(), .. Enumerable.Range(0x7F, 0x81).Select(c => (byte)c)]);

    internal static FormatTest? Find(string name) => name switch
    {
        "date-time" => IsDateTime,
        "date" => IsDate,
        "time" => IsTime,
        "duration" => IsDuration,
        "email" => IsEmail,
        "hostname" => IsHostName,
        "ipv4" => IsIPv4,
        "ipv6" => IsIPv6,
        "uri" => text => IsUri(text, mustBeAbsolute: true),
        "uri-reference" => text => IsUri(text, mustBeAbsolute: false),
        "uuid" => IsUuid,
        "json-pointer" => IsPointer,
        "relative-json-pointer" => IsRelativePointer,
        "regex" => text => EcmaPattern.TryCreate(Encoding.UTF8.GetString(text), TimeSpan.FromMilliseconds(50), out _, out _),
        "byte" => text => Base64.IsValid(text),
        _ => null,
    };

    // RFC 3339 §5.6.
    private static bool IsDateTime(ReadOnlySpan<byte> text) => text.Length > 11 && text[10] is (byte)'T' or (byte)'t' && IsDate(text[..10]) && IsTime(text[11..]);

    private static bool IsDate(ReadOnlySpan<byte> text) =>
        text.Length == 10 && text[4] == '-' && text[7] == '-' && Number(text[..4], out int year) && Number(text[5..7], out int month) && Number(text[8..], out int day)
        && month is >= 1 and <= 12 && day >= 1 && day <= DateTime.DaysInMonth(year == 0 ? 4 : year, month);

    private static bool IsTime(ReadOnlySpan<byte> text)
    {
        if (text.Length < 9 || text[2] != ':' || text[5] != ':') return false;
        if (!Number(text[..2], out int hour) || !Number(text[3..5], out int minute) || !Number(text[6..8], out int second)) return false;
        if (hour > 23 || minute > 59 || second > 60) return false;
        text = text[8..];
        if (text[0] == '.')
        {
            int digits = text[1..].IndexOfAnyExceptInRange((byte)'0', (byte)'9');
            if (digits < 1) return false;
            text = text[(1 + digits)..];
        }
        int offset = 0;
        if (text[0] is not ((byte)'Z' or (byte)'z') || text.Length != 1)
        {
            if (text.Length != 6 || text[0] is not ((byte)'+' or (byte)'-') || text[3] != ':') return false;
            if (!Number(text[1..3], out int offsetHour) || !Number(text[4..], out int offsetMinute) || offsetHour > 23 || offsetMinute > 59) return false;
            offset = (offsetHour * 60 + offsetMinute) * (text[0] == '+' ? 1 : -1);
        }
        // Leap seconds are at the end of a day of UTC.
        return second < 60 || ((hour * 60 + minute - offset) % 1440 + 1440) % 1440 == 1439;
    }

    // RFC 3339 appendix A.
    private static bool IsDuration(ReadOnlySpan<byte> text)
    {
        if (text.Length < 3 || text[0] != 'P') return false;
        text = text[1..];
        bool isTime = false;
        ReadOnlySpan<byte> units = "YMD"u8;
        int last = -1;
        if (text[^1] == 'W') return text[..^1].IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0;
        while (!text.IsEmpty)
        {
            if (text[0] == 'T')
            {
                if (isTime || text.Length == 1) return false;
                isTime = true;
                units = "HMS"u8;
                last = -1;
                text = text[1..];
            }
            int digits = text.IndexOfAnyExceptInRange((byte)'0', (byte)'9');
            if (digits < 1) return false;
            int unit = units.IndexOf(text[digits]);
            // Units follow each other without a gap.
            if (unit <= last || (last >= 0 && unit != last + 1)) return false;
            last = unit;
            text = text[(digits + 1)..];
        }
        return true;
    }

    private static bool IsEmail(ReadOnlySpan<byte> text)
    {
        int at = text.LastIndexOf((byte)'@');
        if (at < 1 || at > 64) return false;
        ReadOnlySpan<byte> local = text[..at], domain = text[(at + 1)..];
        if (domain.Length > 2 && domain[0] == '[' && domain[^1] == ']')
        {
            domain = domain[1..^1];
            if (!(domain.StartsWith("IPv6:"u8) ? IsIPv6(domain[5..]) : IsIPv4(domain))) return false;
        }
        else if (!IsHostName(domain))
        {
            return false;
        }
        if (local.Length > 2 && local[0] == '"' && local[^1] == '"') return local[1..^1].IndexOfAny((byte)'"', (byte)'\\', (byte)'\r') < 0;
        if (local[0] == '.' || local[^1] == '.' || local.IndexOf(".."u8) >= 0) return false;
        foreach (byte c in local)
        {
            if (!char.IsAsciiLetterOrDigit((char)c) && "!#$%&'*+-/=?^_`{|}~."u8.IndexOf(c) < 0) return false;
        }
        return true;
    }

    private static bool IsHostName(ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty || text.Length > HostNameMax) return false;
        foreach (Range range in text.Split((byte)'.'))
        {
            ReadOnlySpan<byte> label = text[range];
            if (label.IsEmpty || label.Length > LabelMax || label[0] == '-' || label[^1] == '-') return false;
            foreach (byte c in label)
            {
                if (!char.IsAsciiLetterOrDigit((char)c) && c != '-') return false;
            }
        }
        return true;
    }

    private static bool IsIPv4(ReadOnlySpan<byte> text)
    {
        int parts = 0;
        foreach (Range range in text.Split((byte)'.'))
        {
            ReadOnlySpan<byte> part = text[range];
            if (++parts > 4 || part.Length is 0 or > 3 || (part.Length > 1 && part[0] == '0') || !Number(part, out int value) || value > 255) return false;
        }
        return parts == 4;
    }

    private static bool IsIPv6(ReadOnlySpan<byte> text)
    {
        if (text.Length is < 2 or > 45 || text.IndexOfAny("%[]/"u8) >= 0) return false;
        int dot = text.IndexOf((byte)'.');
        if (dot >= 0 && !IsIPv4(text[(text.LastIndexOf((byte)':') + 1)..])) return false;
        Span<char> chars = stackalloc char[text.Length];
        return Ascii.IsValid(text) && Encoding.ASCII.GetChars(text, chars) > 0 && IPAddress.TryParse(chars, out IPAddress? address) && address.AddressFamily == AddressFamily.InterNetworkV6;
    }

    private static bool IsUri(ReadOnlySpan<byte> text, bool mustBeAbsolute)
    {
        if (text.IndexOfAny(NotInUri) >= 0) return false;
        for (int i = text.IndexOf((byte)'%'); i >= 0 && i < text.Length; i++)
        {
            if (text[i] == '%' && (text.Length - i < 3 || !char.IsAsciiHexDigit((char)text[i + 1]) || !char.IsAsciiHexDigit((char)text[i + 2]))) return false;
        }
        return Uri.TryCreate(Encoding.ASCII.GetString(text), UriKind.RelativeOrAbsolute, out Uri? uri)
            && (!mustBeAbsolute || (uri.IsAbsoluteUri && char.IsAsciiLetter((char)text[0]) && text.IndexOf((byte)':') > 0));
    }

    private static bool IsUuid(ReadOnlySpan<byte> text) => text.Length == 36 && Utf8Parser.TryParse(text, out Guid _, out int read, 'D') && read == 36;

    private static bool IsPointer(ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty) return true;
        if (text[0] != '/') return false;
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '~' && (i + 1 == text.Length || text[i + 1] is not ((byte)'0' or (byte)'1'))) return false;
        }
        return true;
    }

    private static bool IsRelativePointer(ReadOnlySpan<byte> text)
    {
        int digits = text.IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        if (digits < 0) digits = text.Length;
        if (digits == 0 || (digits > 1 && text[0] == '0')) return false;
        text = text[digits..];
        return text.SequenceEqual("#"u8) || IsPointer(text);
    }

    private static bool Number(ReadOnlySpan<byte> digits, out int value) => int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out value);
}
