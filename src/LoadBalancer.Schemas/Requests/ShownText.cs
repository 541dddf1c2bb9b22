using System.Text;

namespace LoadBalancer.Schemas.Requests;

/// <summary>Names that a client chose, for messages: not at any length, and without what a terminal would obey.</summary>
internal static class ShownText
{
    private const int CharactersMax = 40;

    internal static string Of(ReadOnlySpan<byte> utf8)
    {
        string text = Encoding.UTF8.GetString(utf8[..Math.Min(utf8.Length, CharactersMax * 4)]);
        bool isLong = text.Length > CharactersMax;
        if (isLong) text = text[..(char.IsHighSurrogate(text[CharactersMax - 1]) ? CharactersMax - 1 : CharactersMax)];
        foreach (char c in text)
        {
            if (!char.IsControl(c)) continue;
            text = string.Concat(text.Select(x => char.IsControl(x) ? '?' : x));
            break;
        }
        return isLong ? text + "..." : text;
    }
}
