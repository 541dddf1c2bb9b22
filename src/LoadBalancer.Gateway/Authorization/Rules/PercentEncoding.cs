namespace LoadBalancer.Gateway.Authorization.Rules;

/// <summary>Reads "%2F" (RFC 3986 §2.1).</summary>
internal static class PercentEncoding
{
    /// <summary>The byte that is encoded there; -1 for none.</summary>
    internal static int At(ReadOnlySpan<byte> text, int index)
    {
        if (text[index] != '%' || text.Length - index < 3) return -1;
        int high = Digit(text[index + 1]), low = Digit(text[index + 2]);
        return (high | low) < 0 ? -1 : high * 16 + low;
    }

    private static int Digit(byte digit) => char.IsAsciiDigit((char)digit) ? digit - '0' : char.IsAsciiHexDigit((char)digit) ? (digit | 0x20) - 'a' + 10 : -1;
}
