using System.Buffers;

namespace LoadBalancer.Core.Configuration;

/// <summary>Syntax of a route's path: "/exact", "/users/{id}", "/files/**".</summary>
internal static class PathPattern
{
    // RFC 3986 §3.3: pchar, with "%" checked apart. Everything else must be percent-encoded to reach us, so it could never match.
    private static readonly SearchValues<char> SegmentCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()+,;=:@%");
    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

    /// <summary>What is wrong, as the rest of a sentence; null when nothing is.</summary>
    internal static string? Error(string pattern)
    {
        if (pattern.Length == 0) return "is empty; expected \"/**\" for every path";
        if (pattern[0] != '/') return $"does not start with \"/\"; did you mean \"/{pattern}\"?";
        if (pattern.Contains('?')) return "has a query; a path ends before the \"?\"";
        if (pattern.Contains('#')) return "has a fragment, which no request carries";

        var names = new HashSet<string>(StringComparer.Ordinal);
        string[] segments = pattern[1..].Split('/');
        for (int i = 0; i < segments.Length; i++)
        {
            string segment = segments[i];
            bool isLast = i == segments.Length - 1;
            if (segment == "**")
            {
                if (!isLast) return "has \"**\" before its end; only the last segment may be \"**\"";
                continue;
            }
            if (segment == "*") return isLast
                ? $"has \"*\"; did you mean \"{pattern}*\" (everything below) or \"{pattern[..^1]}{{name}}\" (one segment)?"
                : "has \"*\"; expected \"{name}\" for one segment";
            if (segment.Contains('{') || segment.Contains('}'))
            {
                if (segment.Length < 3 || segment[0] != '{' || segment[^1] != '}' || segment.AsSpan(1, segment.Length - 2).ContainsAnyExcept(NameCharacters))
                    return $"has \"{segment}\"; expected a whole segment such as \"{{id}}\", the name of letters, digits and \"_\"";
                if (!names.Add(segment)) return $"has \"{segment}\" twice";
                continue;
            }
            if (segment.Contains('*')) return $"has \"{segment}\"; a wildcard is a whole segment: \"**\" at the end, or \"{{name}}\"";
            if (segment is "." or "..") return $"has \"{segment}\", which is resolved before matching";
            int wrong = segment.AsSpan().IndexOfAnyExcept(SegmentCharacters);
            if (wrong >= 0) return $"has {CharacterText.Name(segment[wrong])}, which must be percent-encoded";
            for (int p = segment.IndexOf('%'); p >= 0; p = segment.IndexOf('%', p + 1))
                if (p + 2 >= segment.Length || !char.IsAsciiHexDigit(segment[p + 1]) || !char.IsAsciiHexDigit(segment[p + 2]))
                    return "has \"%\" without two hexadecimal digits";
        }
        return null;
    }

    /// <summary>The pattern with its parameter names taken out: two of the same shape match the same paths.</summary>
    internal static string Shape(string pattern) =>
        string.Join('/', pattern.Split('/').Select(s => s.StartsWith('{') ? "{}" : s));
}
