using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace LoadBalancer.Scripting.Text;

/// <summary>The host of a URL (URL Standard §3.5): a name, or an address in its one form, so that "0x7f.1" is 127.0.0.1.</summary>
internal static class UrlHost
{
    private static readonly System.Buffers.SearchValues<char> Forbidden = System.Buffers.SearchValues.Create("\0\t\n\r #/:<>?@[\\]^|%\x7F");
    private static readonly IdnMapping Idn = new() { UseStd3AsciiRules = false };

    /// <summary>Null for what is no host.</summary>
    internal static string? Parse(string text)
    {
        if (text.Length == 0) return null;
        if (text[0] == '[')
        {
            if (text[^1] != ']' || text.Contains('%') || !IPAddress.TryParse(text.AsSpan(1, text.Length - 2), out IPAddress? address) || address.AddressFamily != AddressFamily.InterNetworkV6) return null;
            return $"[{Compressed(address)}]";
        }
        string name = FormText.Decode(text, plusIsSpace: false).ToLowerInvariant();
        if (name.AsSpan().IndexOfAnyExceptInRange('\0', '\x7F') >= 0)
        {
            try
            {
                name = Idn.GetAscii(name).ToLowerInvariant();
            }
            catch (ArgumentException)
            {
                return null;
            }
        }
        if (name.Length == 0 || name.AsSpan().IndexOfAny(Forbidden) >= 0 || name.AsSpan().IndexOfAnyInRange('\0', '\x1F') >= 0) return null;
        return EndsInNumber(name) ? ParseIPv4(name) : name;
    }

    private static bool EndsInNumber(string name)
    {
        string[] parts = name.Split('.');
        string last = parts[^1].Length == 0 && parts.Length > 1 ? parts[^2] : parts[^1];
        return last.Length > 0 && (last.AsSpan().IndexOfAnyExceptInRange('0', '9') < 0 || TryNumber(last, out _));
    }

    private static string? ParseIPv4(string name)
    {
        string[] parts = name.TrimEnd('.').Split('.');
        if (parts.Length > 4) return null;
        ulong address = 0;
        for (int i = 0; i < parts.Length; i++)
        {
            if (!TryNumber(parts[i], out ulong number)) return null;
            int bytes = i == parts.Length - 1 ? 4 - i : 1; // the last one has what is left
            if (number >= 1UL << (8 * bytes)) return null;
            address |= number << (8 * (4 - i - bytes));
        }
        return new IPAddress([(byte)(address >> 24), (byte)(address >> 16), (byte)(address >> 8), (byte)address]).ToString();
    }

    private static bool TryNumber(string text, out ulong number)
    {
        number = 0;
        int radix = 10;
        if (text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)) (radix, text) = (16, text[2..]);
        else if (text.Length > 1 && text[0] == '0') (radix, text) = (8, text[1..]);
        else if (text.Length == 0) return false;
        foreach (char c in text)
        {
            int digit = char.IsAsciiHexDigit(c) ? Convert.ToInt32(c.ToString(), 16) : 99;
            if (digit >= radix) return false;
            number = Math.Min(number * (ulong)radix + (ulong)digit, uint.MaxValue + 1UL);
        }
        return true;
    }

    // RFC 5952 without its dotted end, which the standard has not.
    private static string Compressed(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        Span<int> pieces = stackalloc int[8];
        for (int i = 0; i < 8; i++) pieces[i] = bytes[2 * i] << 8 | bytes[2 * i + 1];
        int best = -1, bestLength = 1;
        for (int i = 0; i < 8; i++)
        {
            int length = 0;
            while (i + length < 8 && pieces[i + length] == 0) length++;
            if (length > bestLength) (best, bestLength) = (i, length);
        }
        var text = new System.Text.StringBuilder();
        for (int i = 0; i < 8; i++)
        {
            if (i == best)
            {
                text.Append("::");
                i += bestLength - 1;
                continue;
            }
            if (text.Length > 0 && text[^1] != ':') text.Append(':');
            text.Append(pieces[i].ToString("x"));
        }
        return text.ToString();
    }
}
