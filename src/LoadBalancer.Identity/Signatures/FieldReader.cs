using System.Globalization;

namespace LoadBalancer.Identity.Signatures;

/// <summary>Reads pieces of structured fields (RFC 9651 §4.2). A value.</summary>
internal struct FieldReader(string text)
{
    internal string Text { get; } = text;

    internal int Position { get; private set; }

    internal readonly bool IsAtEnd => Position == Text.Length;

    internal bool TryTake(char c)
    {
        if (IsAtEnd || Text[Position] != c) return false;
        Position++;
        return true;
    }

    /// <summary>Goes over the comma before another member.</summary>
    internal bool NextMember()
    {
        int before = Position;
        SkipSpace();
        if (!TryTake(','))
        {
            Position = before;
            return false;
        }
        SkipSpace();
        return true;
    }

    internal bool TryReadKey(out string key)
    {
        int start = Position;
        while (!IsAtEnd && (char.IsAsciiLetterLower(Text[Position]) || Text[Position] == '*' || Position > start && (char.IsAsciiDigit(Text[Position]) || Text[Position] is '_' or '-' or '.'))) Position++;
        key = Text[start..Position];
        return key.Length is > 0 and <= 64;
    }

    internal bool TryReadString(out string value)
    {
        value = "";
        if (!TryTake('"')) return false;
        var read = new System.Text.StringBuilder();
        while (!IsAtEnd)
        {
            char c = Text[Position++];
            if (c == '"')
            {
                value = read.ToString();
                return true;
            }
            if (c is < ' ' or > '~') return false;
            if (c == '\\')
            {
                if (IsAtEnd || (c = Text[Position++]) is not ('"' or '\\')) return false;
            }
            read.Append(c);
        }
        return false;
    }

    internal bool TryReadInteger(out long value)
    {
        int start = Position;
        TryTake('-');
        while (!IsAtEnd && char.IsAsciiDigit(Text[Position])) Position++;
        ReadOnlySpan<char> digits = Text.AsSpan(start, Position - start);
        value = 0;
        // RFC 9651 §3.3.1: 15 digits. §4.1.4: no zeros before them.
        return digits.Length is > 0 and <= 16 && long.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value) && digits.SequenceEqual(value.ToString(CultureInfo.InvariantCulture));
    }

    internal bool TryReadBytes(out byte[] value)
    {
        value = [];
        if (!TryTake(':')) return false;
        int end = Text.IndexOf(':', Position);
        if (end < 0) return false;
        ReadOnlySpan<char> base64 = Text.AsSpan(Position, end - Position);
        byte[] bytes = new byte[base64.Length];
        if (base64.ContainsAny(' ', '\t') || !Convert.TryFromBase64Chars(base64, bytes, out int length)) return false;
        Position = end + 1;
        value = bytes[..length];
        return true;
    }

    private void SkipSpace()
    {
        while (!IsAtEnd && Text[Position] is ' ' or '\t') Position++;
    }
}
