using System.Text;

namespace LoadBalancer.Caching.Rules;

/// <summary>Picks and sorts the parameters of a query that count in a key. Immutable; never allocates.</summary>
internal sealed class QueryFilter
{
    /// <summary>More parameters than that make a request one that is not for the cache.</summary>
    internal const int ParametersMax = 128;

    private readonly QueryRule _rule;
    private readonly bool _sorts;
    private readonly byte[][] _names;

    internal QueryFilter(CacheKeyOptions options)
    {
        _rule = options.Query;
        _sorts = options.SortsQuery;
        _names = [.. options.QueryNames.Select(Encoding.UTF8.GetBytes)];
    }

    /// <summary>Appends '?' and what counts, or nothing where nothing does. The query is without its '?'.</summary>
    internal bool TryWrite(Span<byte> destination, ref int length, ReadOnlySpan<byte> query)
    {
        Span<(int Start, int Length, int NameLength)> kept = stackalloc (int, int, int)[ParametersMax];
        int count = 0;
        foreach (Range range in query.Split((byte)'&'))
        {
            (int start, int parameterLength) = range.GetOffsetAndLength(query.Length);
            ReadOnlySpan<byte> parameter = query.Slice(start, parameterLength);
            if (parameter.IsEmpty) continue;
            int equals = parameter.IndexOf((byte)'=');
            int nameLength = equals < 0 ? parameter.Length : equals;
            if (!Counts(parameter, parameter[..nameLength])) continue;
            if (count == ParametersMax) return false;
            int at = count++;
            if (_sorts)
            {
                // Stable, so that the order of equal names, which may mean something, is kept.
                for (; at > 0 && query.Slice(kept[at - 1].Start, kept[at - 1].NameLength).SequenceCompareTo(parameter[..nameLength]) > 0; at--) kept[at] = kept[at - 1];
            }
            kept[at] = (start, parameterLength, nameLength);
        }
        for (int i = 0; i < count; i++)
        {
            if (!CacheKey.TryAppend(destination, ref length, i == 0 ? "?"u8 : "&"u8) || !CacheKey.TryAppend(destination, ref length, query.Slice(kept[i].Start, kept[i].Length))) return false;
        }
        return true;
    }

    private bool Counts(ReadOnlySpan<byte> parameter, ReadOnlySpan<byte> name)
    {
        if (_rule is QueryRule.All) return true;
        bool isNamed = false;
        foreach (byte[] pattern in _names) isNamed |= Matches(name, pattern);
        // To some origins ';' separates parameters too: what hides one ("utm_x=1;id=2") must not be left out.
        return isNamed == (_rule == QueryRule.Only) || parameter.Contains((byte)';');
    }

    // Names as the origin decodes them: with "Only", "%69d" is "id" to it and has to count as well.
    private static bool Matches(ReadOnlySpan<byte> name, ReadOnlySpan<byte> pattern)
    {
        bool isPrefix = !pattern.IsEmpty && pattern[^1] == '*';
        if (isPrefix) pattern = pattern[..^1];
        int at = 0, matched = 0;
        while (at < name.Length)
        {
            if (matched == pattern.Length) return isPrefix;
            int b = name[at++];
            if (b == '+') b = ' ';
            else if (b == '%' && at + 1 < name.Length && char.IsAsciiHexDigit((char)name[at]) && char.IsAsciiHexDigit((char)name[at + 1]))
            {
                b = HexOf(name[at]) << 4 | HexOf(name[at + 1]);
                at += 2;
            }
            if (b != pattern[matched++]) return false;
        }
        return matched == pattern.Length;
    }

    private static int HexOf(byte b) => b <= '9' ? b - '0' : (b | 0x20) - 'a' + 10;
}
