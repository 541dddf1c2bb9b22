namespace LoadBalancer.Caching.Rules;

/// <summary>
/// Reads CDN-Cache-Control (RFC 9213): a dictionary of structured fields (RFC 9651), which is valid as a whole or not at all. Parameters are ignored; a directive whose
/// value has another type than its own makes the field invalid, as what the sender meant cannot be told.
/// </summary>
internal static class TargetedCacheControl
{
    /// <summary>Adds a line; false when it makes the field invalid. An empty line adds nothing.</summary>
    internal static bool TryAdd(ReadOnlySpan<byte> line, ref CacheControl control)
    {
        line = line.Trim(" \t"u8);
        while (!line.IsEmpty)
        {
            int length = KeyLength(line);
            if (length == 0) return false;
            ReadOnlySpan<byte> key = line[..length];
            line = line[length..];
            var value = new StructuredValue { Kind = StructuredKind.Boolean, Number = 1 };
            if (!line.IsEmpty && line[0] == '=')
            {
                line = line[1..];
                if (!TryReadMember(ref line, out value)) return false;
            }
            if (!TrySkipParameters(ref line) || !control.AddTargeted(key, value)) return false;
            line = line.TrimStart(" \t"u8);
            if (line.IsEmpty) return true;
            if (line[0] != ',') return false;
            line = line[1..].TrimStart(" \t"u8);
            if (line.IsEmpty) return false; // RFC 9651 §4.2.2: no comma at the end
        }
        return true;
    }

    // lcalpha or "*", then also digits and "_-."
    private static int KeyLength(ReadOnlySpan<byte> text)
    {
        int at = 0;
        while (at < text.Length && (char.IsAsciiLetterLower((char)text[at]) || text[at] == '*' || (at > 0 && (char.IsAsciiDigit((char)text[at]) || text[at] is (byte)'_' or (byte)'-' or (byte)'.')))) at++;
        return at;
    }

    private static bool TryReadMember(scoped ref ReadOnlySpan<byte> text, out StructuredValue value)
    {
        if (text.IsEmpty || text[0] != '(') return TryReadItem(ref text, out value);
        value = new() { Kind = StructuredKind.Other };
        text = text[1..];
        for (; ; )
        {
            text = text.TrimStart((byte)' ');
            if (text.IsEmpty) return false;
            if (text[0] == ')')
            {
                text = text[1..];
                return true;
            }
            if (!TryReadItem(ref text, out _) || !TrySkipParameters(ref text)) return false;
            if (text.IsEmpty || text[0] is not ((byte)' ' or (byte)')')) return false;
        }
    }

    private static bool TrySkipParameters(scoped ref ReadOnlySpan<byte> text)
    {
        while (!text.IsEmpty && text[0] == ';')
        {
            text = text[1..].TrimStart((byte)' ');
            int length = KeyLength(text);
            if (length == 0) return false;
            text = text[length..];
            if (text.IsEmpty || text[0] != '=') continue;
            text = text[1..];
            if (!TryReadItem(ref text, out _)) return false;
        }
        return true;
    }

    private static bool TryReadItem(scoped ref ReadOnlySpan<byte> text, out StructuredValue value)
    {
        value = default;
        if (text.IsEmpty) return false;
        byte first = text[0];
        if (first == '-' || char.IsAsciiDigit((char)first)) return TryReadNumber(ref text, out value);
        if (first == '"') return TryReadString(ref text, out value);
        if (first == '?')
        {
            if (text.Length < 2 || text[1] is not ((byte)'0' or (byte)'1')) return false;
            value = new() { Kind = StructuredKind.Boolean, Number = text[1] - '0' };
            text = text[2..];
            return true;
        }
        value = new() { Kind = StructuredKind.Other };
        if (first == ':') // a byte sequence
        {
            int end = text[1..].IndexOf((byte)':');
            if (end < 0) return false;
            foreach (byte b in text.Slice(1, end)) if (!char.IsAsciiLetterOrDigit((char)b) && b is not ((byte)'+' or (byte)'/' or (byte)'=')) return false;
            text = text[(end + 2)..];
            return true;
        }
        if (first != '*' && !char.IsAsciiLetter((char)first)) return false;
        int at = 0;
        while (at < text.Length && (text[at] is (byte)':' or (byte)'/' || DirectiveReader.IsToken(text.Slice(at, 1)))) at++;
        text = text[at..];
        return true;
    }

    private static bool TryReadNumber(scoped ref ReadOnlySpan<byte> text, out StructuredValue value)
    {
        value = default;
        int sign = text[0] == '-' ? 1 : 0;
        int at = sign;
        long number = 0;
        for (; at < text.Length && char.IsAsciiDigit((char)text[at]); at++)
        {
            if (at - sign >= 15) return false; // RFC 9651 §3.3.1
            number = number * 10 + (text[at] - '0');
        }
        if (at == sign) return false;
        bool isDecimal = at < text.Length && text[at] == '.';
        if (isDecimal)
        {
            int digits = at - sign;
            int fraction = ++at;
            while (at < text.Length && char.IsAsciiDigit((char)text[at])) at++;
            if (digits > 12 || at - fraction is < 1 or > 3) return false;
        }
        value = new() { Kind = isDecimal ? StructuredKind.Other : StructuredKind.Integer, Number = sign == 1 ? -number : number };
        text = text[at..];
        return true;
    }

    private static bool TryReadString(scoped ref ReadOnlySpan<byte> text, out StructuredValue value)
    {
        value = default;
        for (int at = 1; at < text.Length; at++)
        {
            byte b = text[at];
            if (b == '\\' && (++at >= text.Length || text[at] is not ((byte)'"' or (byte)'\\'))) return false;
            if (b is < 0x20 or > 0x7E) return false;
            if (b != '"') continue;
            value = new() { Kind = StructuredKind.String, Text = text[1..at] };
            text = text[(at + 1)..];
            return true;
        }
        return false;
    }
}

/// <summary>A bare item of structured fields, as far as directives need it.</summary>
internal ref struct StructuredValue
{
    internal StructuredKind Kind { get; init; }

    /// <summary>Of an integer; 0 or 1 of a boolean.</summary>
    internal long Number { get; init; }

    /// <summary>Of a string, escapes left in.</summary>
    internal ReadOnlySpan<byte> Text { get; init; }
}

internal enum StructuredKind : byte
{
    Other,
    Boolean,
    Integer,
    String,
}
