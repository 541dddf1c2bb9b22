using System.Buffers;
using System.Text;

namespace LoadBalancer.Translation.Maps;

/// <summary>"GET /v1/users/{id}", "/v1/files/**", "GET /v2/users?id={id}": a method, or none for every one, a path, and parameters of the query that it takes. Immutable.</summary>
internal sealed class PathTemplate
{
    /// <summary>Variables that a template may have.</summary>
    internal const int VariablesMax = 16;

    private const int SegmentsMax = 64;

    // RFC 3986 §3.3: pchar, with "%" checked apart.
    private static readonly SearchValues<char> SegmentCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()+,;=:@%");
    private static readonly SearchValues<char> NameCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
    private static readonly SearchValues<char> MethodCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZ-_");

    internal required string Text { get; init; }

    /// <summary>Null: every method.</summary>
    internal string? Method { get; init; }

    internal required TemplatePart[] Segments { get; init; }

    /// <summary>The last segment stands for any number of them, also for none.</summary>
    internal bool HasTail { get; init; }

    /// <summary>Parameters of the query; each has a name and a text or a variable.</summary>
    internal required (string Name, TemplatePart Value)[] Query { get; init; }

    /// <summary>Names of all variables, with "**" for the tail.</summary>
    internal IEnumerable<string> Variables => [.. Segments.Where(s => s.IsVariable).Select(s => s.Text), .. Query.Where(q => q.Value.IsVariable).Select(q => q.Value.Text), .. HasTail ? ["**"] : Array.Empty<string>()];

    /// <summary>Two templates of the same shape match the same requests.</summary>
    internal string Shape => $"{Method} /{string.Join('/', Segments.Select(s => s.IsVariable ? "{}" : s.Text))}{(HasTail ? "/**" : "")}?{string.Join('&', Query.Select(q => $"{q.Name}={(q.Value.IsVariable ? "{}" : q.Value.Text)}").Order(StringComparer.Ordinal))}";

    /// <summary>Reads a template; else what is wrong, as the rest of a sentence.</summary>
    internal static PathTemplate? Parse(string text, out string error)
    {
        error = "";
        string? method = null;
        string target = text;
        int space = text.IndexOf(' ', StringComparison.Ordinal);
        if (space >= 0)
        {
            (method, target) = (text[..space], text[(space + 1)..].TrimStart());
            if (method.Length == 0 || method.AsSpan().ContainsAnyExcept(MethodCharacters)) error = $"has the method \"{method}\"; expected one such as GET, or none for every method";
        }
        if (error.Length == 0 && !target.StartsWith('/')) error = "has no path; expected one such as \"GET /v1/users/{id}\"";
        if (error.Length > 0) return null;
        int question = target.IndexOf('?', StringComparison.Ordinal);
        string path = question < 0 ? target : target[..question];
        if (target.Contains('#', StringComparison.Ordinal)) error = "has a fragment, which no request carries";
        var names = new HashSet<string>(StringComparer.Ordinal);
        var segments = new List<TemplatePart>();
        bool hasTail = false;
        string[] parts = path[1..].Split('/');
        for (int i = 0; i < parts.Length && error.Length == 0; i++)
        {
            if (parts[i] == "**")
            {
                hasTail = i == parts.Length - 1;
                if (!hasTail) error = "has \"**\" before its end; only the last segment may be \"**\"";
            }
            else if (Part(parts[i], names, out error) is { } part) segments.Add(part);
        }
        var query = new List<(string, TemplatePart)>();
        foreach (string parameter in question < 0 ? [] : target[(question + 1)..].Split('&'))
        {
            if (error.Length > 0) break;
            int equals = parameter.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1) error = $"has \"{parameter}\" in its query; expected \"name={{variable}}\" or \"name=text\"";
            else if (parameter[..equals].Any(c => c is '%' or '+' or '{' or '}' or <= ' ' or > '~')) error = $"has \"{parameter[..equals]}\" in its query, which is no plain name";
            else if (query.Exists(q => q.Item1 == parameter[..equals])) error = $"has \"{parameter[..equals]}\" twice in its query";
            else if (Part(parameter[(equals + 1)..], names, out error) is { } value) query.Add((parameter[..equals], value));
        }
        if (error.Length == 0 && segments.Count > SegmentsMax) error = $"has {segments.Count} segments; expected at most {SegmentsMax}";
        if (error.Length == 0 && names.Count > VariablesMax) error = $"has {names.Count} variables; expected at most {VariablesMax}";
        return error.Length > 0 ? null : new PathTemplate { Text = text, Method = method, Segments = [.. segments], HasTail = hasTail, Query = [.. query] };
    }

    private static TemplatePart? Part(string text, HashSet<string> names, out string error)
    {
        error = "";
        if (text.Contains('{') || text.Contains('}'))
        {
            if (text.Length < 3 || text[0] != '{' || text[^1] != '}' || text.AsSpan(1, text.Length - 2).ContainsAnyExcept(NameCharacters))
                error = $"has \"{text}\"; expected a whole segment such as \"{{id}}\", the name of letters, digits and \"_\"";
            else if (!names.Add(text)) error = $"has \"{text}\" twice";
            return error.Length == 0 ? new TemplatePart(text[1..^1], true) : null;
        }
        if (text.Contains('*', StringComparison.Ordinal)) error = $"has \"{text}\"; expected \"{{name}}\" for one segment, or \"**\" at the end";
        else if (text is "." or "..") error = $"has \"{text}\", which is resolved before matching";
        else if (text.AsSpan().IndexOfAnyExcept(SegmentCharacters) is var wrong and >= 0) error = $"has '{text[wrong]}', which must be percent-encoded";
        for (int p = text.IndexOf('%', StringComparison.Ordinal); p >= 0 && error.Length == 0; p = text.IndexOf('%', p + 1))
            if (p + 2 >= text.Length || !char.IsAsciiHexDigit(text[p + 1]) || !char.IsAsciiHexDigit(text[p + 2])) error = "has \"%\" without two hexadecimal digits";
        return error.Length == 0 ? new TemplatePart(Normal(text), false) : null;
    }

    // As paths are when they are matched (RFC 3986 §6.2.2): capital digits, and what needs no encoding has none.
    private static string Normal(string text)
    {
        if (!text.Contains('%', StringComparison.Ordinal)) return text;
        var normal = new StringBuilder();
        for (int at = 0; at < text.Length; at++)
        {
            if (text[at] != '%')
            {
                normal.Append(text[at]);
                continue;
            }
            int code = Convert.ToInt32(text.Substring(at + 1, 2), 16);
            at += 2;
            if (code < 0x80 && (char.IsAsciiLetterOrDigit((char)code) || code is '-' or '.' or '_' or '~')) normal.Append((char)code);
            else normal.Append('%').Append(code.ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
        }
        return normal.ToString();
    }
}

/// <summary>A segment or a value: a text as it stands in URLs, or a variable.</summary>
internal sealed class TemplatePart(string text, bool isVariable)
{
    internal string Text { get; } = text;

    internal bool IsVariable { get; } = isVariable;

    internal byte[] Bytes { get; } = Encoding.ASCII.GetBytes(text);
}
