namespace LoadBalancer.Core.Configuration;

/// <summary>Syntax of <see cref="RedirectConfig.To"/>.</summary>
internal static class RedirectTarget
{
    private static readonly string[] Placeholders = ["{host}", "{path}", "{query}"];

    /// <summary>What is wrong, as the rest of a sentence; null when nothing is.</summary>
    internal static string? Error(string to)
    {
        if (to.Length == 0) return "is empty; expected a URL such as \"https://{host}{path}{query}\"";
        foreach (char c in to)
            if (c is <= ' ' or > '~' or '"' or '<' or '>' or '\\' or '^' or '`' or '|') return $"has {CharacterText.Name(c)}, which must be percent-encoded in a URL";
        for (int i = to.AsSpan().IndexOfAny('{', '}'); i >= 0;)
        {
            int close = to.IndexOf('}', i);
            if (to[i] == '}' || close < 0) return "has a brace without its partner";
            string placeholder = to[i..(close + 1)];
            if (Array.IndexOf(Placeholders, placeholder) < 0) return $"has {CharacterText.Quote(placeholder)}{Suggestion.Text(placeholder, Placeholders)}";
            int next = to.AsSpan(close + 1).IndexOfAny('{', '}');
            i = next < 0 ? -1 : close + 1 + next;
        }
        bool isUrl = to.StartsWith("http://", StringComparison.OrdinalIgnoreCase) || to.StartsWith("https://", StringComparison.OrdinalIgnoreCase);
        if (!isUrl && to[0] != '/' && !to.StartsWith("{path}", StringComparison.Ordinal)) return "is neither a path nor a URL; expected it to start with \"/\", \"http://\" or \"https://\"";
        return null;
    }
}
