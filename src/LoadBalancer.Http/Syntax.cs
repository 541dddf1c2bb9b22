using System.Buffers;
using System.Net;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LoadBalancer.Http;

/// <summary>Character classes and small grammars shared by the parsers. Safe code only; each vector path has a scalar twin that tests compare with it.</summary>
internal static class Syntax
{
    /// <summary>RFC 9110 §5.6.2 tchar.</summary>
    internal static readonly SearchValues<byte> Token =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    /// <summary>What a target may contain. RFC 3986 has fewer: '{', '}', '|', '[' and ']' are sent unencoded by real clients (templates, PHP-style
    /// query arrays), are no delimiter in HTTP/1.1, and refusing them breaks sites without making any safer. '#', quotes, angle brackets,
    /// backslash, '^' and '`' are refused: they are what origins disagree about.</summary>
    internal static readonly SearchValues<byte> Target = SearchValues.Create(VisibleExcept("#\"<>\\^`"u8));

    /// <summary><see cref="Target"/> without the two characters at which the path scan has to stop and look.</summary>
    internal static readonly SearchValues<byte> PlainPath = SearchValues.Create(VisibleExcept("#\"<>\\^`%?"u8));

    /// <summary>RFC 3986 §3.2.2 reg-name without percent-encoding; IPv4 addresses are a subset.</summary>
    internal static readonly SearchValues<byte> RegName =
        SearchValues.Create("-._~!$&'()*+,;=0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    private static readonly SearchValues<byte> Ip6Chars = SearchValues.Create("0123456789abcdefABCDEF:."u8);

    private static byte[] VisibleExcept(ReadOnlySpan<byte> excluded)
    {
        var set = new List<byte>();
        for (byte b = 0x21; b < 0x7F; b++) if (!excluded.Contains(b)) set.Add(b);
        return [.. set];
    }

    internal static bool IsToken(ReadOnlySpan<byte> value) => !value.IsEmpty && !value.ContainsAnyExcept(Token);

    /// <summary>Case-insensitive for letters; the second operand must be lower case ASCII.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool EqualsLower(ReadOnlySpan<byte> value, ReadOnlySpan<byte> lower) =>
        value.Length == lower.Length && System.Text.Ascii.EqualsIgnoreCase(value, lower);

    internal static bool IsXForwarded(ReadOnlySpan<byte> name) => name.Length > 12 && EqualsLower(name[..12], "x-forwarded-"u8);

    internal static bool IsHex(byte b) => (uint)(b - '0') <= 9 || (uint)((b | 0x20) - 'a') <= 5;

    /// <summary>Value of a hexadecimal digit, or -1.</summary>
    internal static int HexValue(byte b)
    {
        uint digit = (uint)(b - '0');
        if (digit <= 9) return (int)digit;
        uint letter = (uint)((b | 0x20) - 'a');
        return letter <= 5 ? (int)letter + 10 : -1;
    }

    internal static bool IsControl(byte b) => (b < 0x20 && b != '\t') || b == 0x7F;

    /// <summary>
    /// Bit i is set when byte <paramref name="next"/> + i is a control character other than HTAB. Covers up to 64 bytes and moves
    /// <paramref name="next"/> behind them. Requires next &lt; span.Length.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong ControlMask(ReadOnlySpan<byte> span, ref int next)
    {
        if (span.Length < 64) return ShortControlMask(span, ref next);
        // The last block is loaded so that it ends with the span, overlapping what was seen before; the overlap is shifted out.
        int start = Math.Min(next, span.Length - 64);
        int overlap = next - start;
        ReadOnlySpan<byte> block = span.Slice(start, 64);
        ulong mask;
        if (Vector256.IsHardwareAccelerated)
        {
            mask = Controls(Vector256.Create(block[..32])) | ((ulong)Controls(Vector256.Create(block[32..])) << 32);
        }
        else
        {
            mask = Controls(Vector128.Create(block[..16])) | ((ulong)Controls(Vector128.Create(block[16..32])) << 16)
                | ((ulong)Controls(Vector128.Create(block[32..48])) << 32) | ((ulong)Controls(Vector128.Create(block[48..])) << 48);
        }
        next = start + 64;
        return mask >> overlap;
    }

    // A head below 64 bytes, or one that arrives in small pieces.
    private static ulong ShortControlMask(ReadOnlySpan<byte> span, ref int next)
    {
        if (span.Length >= 16)
        {
            int start = Math.Min(next, span.Length - 16);
            int overlap = next - start;
            ulong mask = Controls(Vector128.Create(span.Slice(start, 16)));
            next = start + 16;
            return mask >> overlap;
        }
        ulong bits = 0;
        int from = next;
        for (; next < span.Length; next++) if (IsControl(span[next])) bits |= 1UL << (next - from);
        return bits;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Controls(Vector256<byte> v)
    {
        // Min and Equals instead of LessThan: AVX2 has no unsigned byte comparison.
        Vector256<byte> low = Vector256.AndNot(Vector256.Equals(Vector256.Min(v, Vector256.Create((byte)0x1F)), v), Vector256.Equals(v, Vector256.Create((byte)'\t')));
        return (low | Vector256.Equals(v, Vector256.Create((byte)0x7F))).ExtractMostSignificantBits();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Controls(Vector128<byte> v)
    {
        Vector128<byte> low = Vector128.AndNot(Vector128.Equals(Vector128.Min(v, Vector128.Create((byte)0x1F)), v), Vector128.Equals(v, Vector128.Create((byte)'\t')));
        return (low | Vector128.Equals(v, Vector128.Create((byte)0x7F))).ExtractMostSignificantBits();
    }

    /// <summary>
    /// Length of the run of letters, digits, '-' and '_' (what nearly all field names consist of) at <paramref name="start"/>, when it is below
    /// 32 bytes and ends within the span; otherwise some shorter or equal length, so that the byte at that length is to be looked at either way.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int CommonNameLength(ReadOnlySpan<byte> span, int start)
    {
        if (span.Length < 32) return ShortCommonNameLength(span, start);
        int from = Math.Min(start, span.Length - 32);
        ReadOnlySpan<byte> block = span.Slice(from, 32);
        uint others;
        if (Vector256.IsHardwareAccelerated) others = ~CommonNameChars(Vector256.Create(block));
        else others = ~(CommonNameChars(Vector128.Create(block[..16])) | (CommonNameChars(Vector128.Create(block[16..])) << 16));
        others >>= start - from;
        return others == 0 ? 0 : BitOperations.TrailingZeroCount(others);
    }

    private static int ShortCommonNameLength(ReadOnlySpan<byte> span, int start)
    {
        int at = start;
        while (at < span.Length && (char.IsAsciiLetterOrDigit((char)span[at]) || span[at] is (byte)'-' or (byte)'_')) at++;
        return at < span.Length ? at - start : 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint CommonNameChars(Vector256<byte> v)
    {
        Vector256<byte> letter = (v | Vector256.Create((byte)0x20)) - Vector256.Create((byte)'a');
        Vector256<byte> digit = v - Vector256.Create((byte)'0');
        return (Vector256.Equals(Vector256.Min(letter, Vector256.Create((byte)25)), letter)
            | Vector256.Equals(Vector256.Min(digit, Vector256.Create((byte)9)), digit)
            | Vector256.Equals(v, Vector256.Create((byte)'-'))
            | Vector256.Equals(v, Vector256.Create((byte)'_'))).ExtractMostSignificantBits();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint CommonNameChars(Vector128<byte> v)
    {
        Vector128<byte> letter = (v | Vector128.Create((byte)0x20)) - Vector128.Create((byte)'a');
        Vector128<byte> digit = v - Vector128.Create((byte)'0');
        return (Vector128.Equals(Vector128.Min(letter, Vector128.Create((byte)25)), letter)
            | Vector128.Equals(Vector128.Min(digit, Vector128.Create((byte)9)), digit)
            | Vector128.Equals(v, Vector128.Create((byte)'-'))
            | Vector128.Equals(v, Vector128.Create((byte)'_'))).ExtractMostSignificantBits();
    }

    /// <summary>Whether the value is uri-host [ ":" port ] with a host that is not empty (RFC 9110 §7.2, RFC 3986 §3.2.2).</summary>
    internal static bool IsHostAndPort(ReadOnlySpan<byte> value, bool portRequired)
    {
        int end = value.IndexOfAnyExcept(RegName);
        if (end < 0) return !value.IsEmpty && !portRequired;
        if (value[end] != ':' || end == 0)
        {
            end = UnusualHostLength(value);
            if (end <= 0) return false;
            if (end == value.Length) return !portRequired;
            if (value[end] != ':') return false;
        }

        ReadOnlySpan<byte> port = value[(end + 1)..];
        // RFC 3986 §3.2.3 allows "host:"; it means the default port. Five digits at most: nobody needs leading zeros here.
        if (port.IsEmpty) return !portRequired;
        if (port.Length > 5) return false;
        int number = 0;
        foreach (byte b in port)
        {
            if ((uint)(b - '0') > 9) return false;
            number = number * 10 + (b - '0');
        }
        return number <= ushort.MaxValue;
    }

    // Length of an IPv6 literal in brackets or of a reg-name with percent-encoded octets; 0 when it is neither.
    private static int UnusualHostLength(ReadOnlySpan<byte> value)
    {
        if (value[0] == '[')
        {
            int close = value.IndexOf((byte)']');
            if (close < 0) return 0;
            ReadOnlySpan<byte> inner = value[1..close];
            // The character test first: the address parser also knows zones ("%1") and prefixes, which have no place in Host (RFC 6874 §4).
            return inner.Contains((byte)':') && !inner.ContainsAnyExcept(Ip6Chars) && IPAddress.IsValidUtf8(inner) ? close + 1 : 0;
        }

        int at = 0;
        while (at < value.Length)
        {
            byte b = value[at];
            if (b == ':') break;
            if (b == '%')
            {
                if (at + 2 >= value.Length || !IsHex(value[at + 1]) || !IsHex(value[at + 2])) return 0;
                // An encoded control, space or delimiter in a host name serves only to confuse whoever decodes it.
                int octet = HexValue(value[at + 1]) * 16 + HexValue(value[at + 2]);
                if (octet < 0x80 && !char.IsAsciiLetterOrDigit((char)octet) && octet is not ('-' or '.' or '_' or '~')) return 0;
                at += 3;
                continue;
            }
            if (!RegName.Contains(b)) return 0;
            at++;
        }
        return at;
    }

    /// <summary>Takes the next element of a comma-separated list, without surrounding white space (it may be empty). False at the end.</summary>
    internal static bool NextElement(ReadOnlySpan<byte> list, ref int position, out ReadOnlySpan<byte> element)
    {
        if (position > list.Length)
        {
            element = default;
            return false;
        }
        ReadOnlySpan<byte> rest = list[position..];
        int comma = rest.IndexOf((byte)',');
        element = (comma < 0 ? rest : rest[..comma]).Trim(" \t"u8);
        position = comma < 0 ? list.Length + 1 : position + comma + 1;
        return true;
    }

    /// <summary>1*DIGIT up to <see cref="long.MaxValue"/>; -1 otherwise.</summary>
    internal static long ParseLength(ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty) return -1;
        long number = 0;
        foreach (byte b in value)
        {
            uint digit = (uint)(b - '0');
            if (digit > 9) return -1;
            if (number > (long.MaxValue - digit) / 10) return -1;
            number = number * 10 + digit;
        }
        return number;
    }
}
