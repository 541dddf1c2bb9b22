namespace LoadBalancer.Translation.Documents;

/// <summary>Parts of a text between separators.</summary>
internal static class Splitting
{
    /// <summary>Parts that a value may have.</summary>
    internal const int PartsMax = 16;

    /// <summary>Splits into at most as many parts as there is room for, and at least one; the last takes what is too much, or the first.</summary>
    internal static int Split(ReadOnlySpan<byte> text, ReadOnlySpan<byte> separator, bool atLast, Span<(int Start, int Length)> parts)
    {
        int count = 0;
        if (!atLast)
        {
            int start = 0;
            while (count < parts.Length - 1 && text[start..].IndexOf(separator) is var found and >= 0)
            {
                parts[count++] = (start, found);
                start += found + separator.Length;
            }
            parts[count++] = (start, text.Length - start);
            return count;
        }
        int end = text.Length;
        while (count < parts.Length - 1 && text[..end].LastIndexOf(separator) is var found and >= 0)
        {
            parts[count++] = (found + separator.Length, end - found - separator.Length);
            end = found;
        }
        parts[count++] = (0, end);
        parts[..count].Reverse();
        return count;
    }
}
