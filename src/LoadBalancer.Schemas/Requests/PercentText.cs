namespace LoadBalancer.Schemas.Requests;

/// <summary>Percent-encoding (RFC 3986 §2.1).</summary>
internal static class PercentText
{
    /// <summary>Decodes into a buffer at least as long; -1: a percent sign without two hexadecimal digits.</summary>
    internal static int Decode(ReadOnlySpan<byte> text, Span<byte> decoded, bool plusIsSpace)
    {
        int length = 0;
        for (int i = 0; i < text.Length; i++)
        {
            byte c = text[i];
            if (c == '%')
            {
                if (text.Length - i < 3 || !char.IsAsciiHexDigit((char)text[i + 1]) || !char.IsAsciiHexDigit((char)text[i + 2])) return -1;
                c = (byte)(HexValue(text[i + 1]) << 4 | HexValue(text[i + 2]));
                i += 2;
            }
            else if (c == '+' && plusIsSpace)
            {
                c = (byte)' ';
            }
            decoded[length++] = c;
        }
        return length;
    }

    private static int HexValue(byte c) => c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}
