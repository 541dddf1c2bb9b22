using System.Text;

namespace LoadBalancer.Scripting.Text;

/// <summary>application/x-www-form-urlencoded (URL Standard §5): queries as pairs.</summary>
internal static class FormText
{
    /// <summary>The pairs. What is malformed is taken as it stands.</summary>
    internal static List<KeyValuePair<string, string>> Parse(string text)
    {
        var pairs = new List<KeyValuePair<string, string>>();
        foreach (Range range in text.AsSpan().Split('&'))
        {
            ReadOnlySpan<char> pair = text.AsSpan()[range];
            if (pair.IsEmpty) continue;
            int equals = pair.IndexOf('=');
            pairs.Add(equals < 0 ? new(Decode(pair, plusIsSpace: true), "") : new(Decode(pair[..equals], true), Decode(pair[(equals + 1)..], true)));
        }
        return pairs;
    }

    internal static string Format(List<KeyValuePair<string, string>> pairs)
    {
        var text = new StringBuilder();
        foreach ((string name, string value) in pairs)
        {
            if (text.Length > 0) text.Append('&');
            Encode(text, name);
            text.Append('=');
            Encode(text, value);
        }
        return text.ToString();
    }

    /// <summary>Percent-decoded as UTF-8, where what is no UTF-8 becomes U+FFFD.</summary>
    internal static string Decode(ReadOnlySpan<char> text, bool plusIsSpace)
    {
        if (text.IndexOfAny('%', '+') < 0) return text.ToString();
        byte[] bytes = new byte[Encoding.UTF8.GetByteCount(text)];
        Encoding.UTF8.GetBytes(text, bytes);
        int length = 0;
        for (int i = 0; i < bytes.Length; i++)
        {
            byte b = bytes[i];
            if (b == '+' && plusIsSpace) b = (byte)' ';
            else if (b == '%' && i + 2 < bytes.Length && char.IsAsciiHexDigit((char)bytes[i + 1]) && char.IsAsciiHexDigit((char)bytes[i + 2]))
            {
                b = (byte)(Convert.ToInt32(((char)bytes[i + 1]).ToString(), 16) * 16 + Convert.ToInt32(((char)bytes[i + 2]).ToString(), 16));
                i += 2;
            }
            bytes[length++] = b;
        }
        return Encoding.UTF8.GetString(bytes, 0, length);
    }

    // The set that the standard names: all but letters, digits and *-._
    private static void Encode(StringBuilder text, string value)
    {
        Span<byte> rune = stackalloc byte[4];
        foreach (Rune next in value.EnumerateRunes())
        {
            if (next.IsAscii && (char.IsAsciiLetterOrDigit((char)next.Value) || next.Value is '*' or '-' or '.' or '_')) text.Append((char)next.Value);
            else if (next.Value == ' ') text.Append('+');
            else foreach (byte b in rune[..next.EncodeToUtf8(rune)]) text.Append('%').Append(b.ToString("X2"));
        }
    }
}
