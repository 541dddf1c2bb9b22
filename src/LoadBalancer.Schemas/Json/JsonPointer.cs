using System.Text;

namespace LoadBalancer.Schemas.Json;

/// <summary>JSON pointers (RFC 6901).</summary>
internal static class JsonPointer
{
    internal static void Append(StringBuilder pointer, string token) => pointer.Append('/').Append(Escape(token));

    internal static string Escape(string token) =>
        token.AsSpan().IndexOfAny('~', '/') < 0 ? token : token.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

    /// <summary>The tokens of a pointer that is empty or begins with a slash.</summary>
    internal static string[] Split(string pointer)
    {
        if (pointer.Length == 0) return [];
        string[] tokens = pointer[1..].Split('/');
        for (int i = 0; i < tokens.Length; i++)
        {
            if (tokens[i].Contains('~', StringComparison.Ordinal))
            {
                tokens[i] = tokens[i].Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            }
        }
        return tokens;
    }
}
