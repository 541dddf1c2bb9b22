using System.Buffers.Binary;
using System.Buffers.Text;

namespace LoadBalancer.Core.ProxyProtocol;

/// <summary>
/// Addresses and ports in the one form that a PROXY header of version 1 allows (§2.1): no zeros in front, no zone, no brackets, no other bases, all of which
/// <see cref="System.Net.IPAddress"/> would take.
/// </summary>
internal static class AddressText
{
    /// <summary>A decimal number up to <paramref name="max"/>.</summary>
    internal static bool TryParseNumber(ReadOnlySpan<byte> text, int max, out int number)
    {
        number = 0;
        if (text.Length is 0 or > 5 || (text[0] == '0' && text.Length > 1)) return false;
        foreach (byte digit in text)
        {
            if (!char.IsAsciiDigit((char)digit)) return false;
            number = number * 10 + (digit - '0');
        }
        return number <= max;
    }

    internal static bool TryParseIPv4(ReadOnlySpan<byte> text, Span<byte> address)
    {
        for (int i = 0; i < 4; i++)
        {
            int end = i < 3 ? text.IndexOf((byte)'.') : text.Length;
            if (end < 0 || !TryParseNumber(text[..end], byte.MaxValue, out int part)) return false;
            address[i] = (byte)part;
            if (i < 3) text = text[(end + 1)..];
        }
        return true;
    }

    /// <summary>RFC 4291 §2.2: groups of hexadecimal digits, "::" once for some that are zero, the last two also as IPv4.</summary>
    internal static bool TryParseIPv6(ReadOnlySpan<byte> text, Span<byte> address)
    {
        int length = 0, gap = -1; // bytes so far; where "::" stands among them
        if (text.StartsWith("::"u8))
        {
            gap = 0;
            text = text[2..];
            if (text.IsEmpty)
            {
                address.Clear();
                return true;
            }
        }
        while (true)
        {
            int colon = text.IndexOf((byte)':');
            if (colon < 0 && text.Contains((byte)'.'))
            {
                if (length > 12 || !TryParseIPv4(text, address.Slice(length, 4))) return false;
                length += 4;
                break;
            }
            ReadOnlySpan<byte> group = colon < 0 ? text : text[..colon];
            if (length == 16 || group.Length is 0 or > 4 || !Utf8Parser.TryParse(group, out ushort value, out int consumed, 'x') || consumed != group.Length) return false;
            BinaryPrimitives.WriteUInt16BigEndian(address[length..], value);
            length += 2;
            if (colon < 0) break;
            text = text[(colon + 1)..];
            if (!text.StartsWith(":"u8)) continue; // also where nothing follows: an empty group is none
            if (gap >= 0) return false;
            gap = length;
            text = text[1..];
            if (text.IsEmpty) break;
        }
        if (gap < 0) return length == 16;
        if (length == 16) return false;
        int tail = length - gap;
        address[gap..length].CopyTo(address[(16 - tail)..]);
        address[gap..(16 - tail)].Clear();
        return true;
    }
}
