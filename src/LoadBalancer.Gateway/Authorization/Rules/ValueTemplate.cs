using System.Text;
using System.Text.Unicode;

namespace LoadBalancer.Gateway.Authorization.Rules;

/// <summary>A value in a rule with variables of its path: "{id}", "org-{org}". Immutable.</summary>
internal sealed class ValueTemplate
{
    // Names and identifiers are shorter; what is longer equals nothing.
    private const int CharactersMax = 512;

    private readonly (string Text, bool IsVariable)[] _parts;

    private ValueTemplate((string Text, bool IsVariable)[] parts) => _parts = parts;

    /// <summary>The template; null where the text has no variables.</summary>
    internal static ValueTemplate? Of(string text)
    {
        var parts = new List<(string, bool)>();
        int from = 0;
        foreach ((int start, int end) in Variables(text))
        {
            if (start > from) parts.Add((text[from..start], false));
            parts.Add((text[(start + 1)..(end - 1)], true));
            from = end;
        }
        if (parts.Count == 0) return null;
        if (from < text.Length) parts.Add((text[from..], false));
        return new([.. parts]);
    }

    /// <summary>Names of the variables in a text.</summary>
    internal static IEnumerable<string> NamesIn(string text) => Variables(text).Select(place => text[(place.Start + 1)..(place.End - 1)]);

    /// <summary>Whether a value is the template's, or begins with it.</summary>
    /// <param name="value">The claim's.</param>
    /// <param name="pattern">Whose variables they are.</param>
    /// <param name="path">What it has matched.</param>
    /// <param name="asPrefix">Whether it need only begin so.</param>
    /// <param name="ifUnreadable">What it is where nobody can tell what a variable is.</param>
    // Hot path: per request. 0 allocations.
    internal bool Matches(string value, RulePath pattern, ReadOnlySpan<byte> path, bool asPrefix, bool ifUnreadable)
    {
        Span<char> wanted = stackalloc char[CharactersMax];
        int length = 0;
        foreach ((string text, bool isVariable) in _parts)
        {
            if (!isVariable)
            {
                if (!text.TryCopyTo(wanted[length..])) return ifUnreadable;
                length += text.Length;
            }
            else
            {
                int written = Decode(pattern.Find(text, path), wanted[length..]);
                if (written <= 0) return ifUnreadable;
                length += written;
            }
        }
        return asPrefix ? value.AsSpan().StartsWith(wanted[..length]) : value.AsSpan().SequenceEqual(wanted[..length]);
    }

    /// <summary>
    /// The decoded segment; -1 where somebody could take it for another one, or for another path: with a slash, a backslash, "%", ";" or a control character in it,
    /// with a dot or space at its end, with what looks like ASCII and is none, or no UTF-8. Such a value equals nothing.
    /// </summary>
    internal static int Decode(ReadOnlySpan<byte> segment, Span<char> output)
    {
        if (segment.IsEmpty || segment.Length > 3 * CharactersMax) return -1;
        Span<byte> decoded = stackalloc byte[3 * CharactersMax];
        int length = 0;
        for (int i = 0; i < segment.Length; i++)
        {
            byte b = segment[i];
            if (PercentEncoding.At(segment, i) is >= 0 and var encoded)
            {
                b = (byte)encoded;
                i += 2;
            }
            if (b is < 0x20 or 0x7F or (byte)'/' or (byte)'\\' or (byte)'%' or (byte)';') return -1;
            decoded[length++] = b;
        }
        decoded = decoded[..length];
        if (decoded[^1] is (byte)'.' or (byte)' ' || decoded[0] == ' ' || !Utf8.IsValid(decoded)) return -1;
        if (!Ascii.IsValid(decoded))
        {
            for (ReadOnlySpan<byte> rest = decoded; !rest.IsEmpty;)
            {
                Rune.DecodeFromUtf8(rest, out Rune rune, out int consumed);
                if (!rune.IsAscii && PathReadings.Folded(rune.Value) >= 0) return -1;
                rest = rest[consumed..];
            }
        }
        return Encoding.UTF8.TryGetChars(decoded, output, out int written) ? written : -1;
    }

    // "{" and "}" with letters, digits and "_" between them.
    private static IEnumerable<(int Start, int End)> Variables(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] != '{') continue;
            int end = i + 1;
            while (end < text.Length && (char.IsAsciiLetterOrDigit(text[end]) || text[end] == '_')) end++;
            if (end == i + 1 || end == text.Length || text[end] != '}') continue;
            yield return (i, end + 1);
            i = end;
        }
    }
}
