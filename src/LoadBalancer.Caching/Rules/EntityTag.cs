namespace LoadBalancer.Caching.Rules;

/// <summary>Entity tags (RFC 9110 §8.8.3). Bytes in, no state, never allocates.</summary>
public static class EntityTag
{
    /// <summary>Whether the value is one entity tag.</summary>
    public static bool IsValid(ReadOnlySpan<byte> value)
    {
        ReadOnlySpan<byte> opaque = IsWeak(value) ? value[2..] : value;
        return opaque.Length >= 2 && LengthOf(opaque) == opaque.Length;
    }

    /// <summary>It begins with W/, in capitals as §8.8.3 wants it.</summary>
    public static bool IsWeak(ReadOnlySpan<byte> tag) => tag.StartsWith("W/"u8);

    /// <summary>Weak comparison (§8.8.3.2): the quoted strings are the same.</summary>
    public static bool WeakEquals(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b) => (IsWeak(a) ? a[2..] : a).SequenceEqual(IsWeak(b) ? b[2..] : b);

    /// <summary>Strong comparison (§8.8.3.2): the same, and neither is weak.</summary>
    public static bool StrongEquals(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b) => !IsWeak(a) && a.SequenceEqual(b);

    /// <summary>
    /// Takes the next tag of a list. False at its end and at what is no tag. What stands between two tags other than a comma is skipped as far as the next comma that is
    /// outside of quotes, so that one bad member does not hide the good ones behind it.
    /// </summary>
    internal static bool Next(ref ReadOnlySpan<byte> list, out ReadOnlySpan<byte> tag)
    {
        for (; ; )
        {
            list = list.TrimStart(" \t,"u8);
            tag = default;
            if (list.IsEmpty) return false;
            int prefix = IsWeak(list) ? 2 : 0;
            int length = LengthOf(list[prefix..]);
            if (length > 0)
            {
                tag = list[..(prefix + length)];
                list = list[(prefix + length)..];
                ReadOnlySpan<byte> rest = list.TrimStart(" \t"u8);
                if (rest.IsEmpty || rest[0] == ',') return true;
                tag = default; // "a"b: not a tag
            }
            int comma = list.IndexOf((byte)',');
            if (comma < 0)
            {
                list = default;
                return false;
            }
            list = list[comma..];
        }
    }

    // Of the quoted string at the start; 0 when there is none. etagc is visible but DQUOTE, or obs-text; there are no escapes.
    private static int LengthOf(ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty || text[0] != '"') return 0;
        for (int at = 1; at < text.Length; at++)
        {
            if (text[at] == '"') return at + 1;
            if (text[at] is < 0x21 or 0x7F) return 0;
        }
        return 0;
    }
}
