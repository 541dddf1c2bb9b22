using System.Buffers;

namespace LoadBalancer.Core.Configuration;

/// <summary>Words of HTTP as they may stand in a configuration.</summary>
internal static class HttpSyntax
{
    // RFC 9110 §5.6.2
    private static readonly SearchValues<char> TokenCharacters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    /// <summary>RFC 9110 §9.1, the methods in common use; others may be named too.</summary>
    internal static readonly string[] CommonMethods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"];

    internal static bool IsToken(string text) => text.Length > 0 && !text.AsSpan().ContainsAnyExcept(TokenCharacters);

    /// <summary>
    /// What is wrong with a field value, as the rest of a sentence; null when nothing is. Stricter than RFC 9110 §5.5 on purpose: no obs-text,
    /// so that the value is the same bytes in every encoding, and no way to smuggle a line end.
    /// </summary>
    internal static string? FieldValueError(string value)
    {
        foreach (char c in value)
            if (c is (< ' ' and not '\t') or > '~') return $"has {CharacterText.Name(c)}; a header value is printable ASCII";
        if (value.Length > 0 && (value[0] is ' ' or '\t' || value[^1] is ' ' or '\t')) return "starts or ends with a space";
        return null;
    }
}

/// <summary>Names of characters that cannot be shown in a one-line message.</summary>
internal static class CharacterText
{
    internal static string Name(char c) => c switch
    {
        ' ' => "a space",
        '\r' or '\n' => "a line end",
        < ' ' or '\x7f' => $"a control character (U+{(int)c:X4})",
        > '\x7f' => $"a character outside of ASCII (U+{(int)c:X4})",
        _ => $"\"{c}\"",
    };

    /// <summary>A value in quotes as it may stand in a one-line message: control characters escaped, long ones cut.</summary>
    internal static string Quote(string value)
    {
        const int ShownMax = 100;
        var text = new System.Text.StringBuilder("\"");
        foreach (char c in value.Length > ShownMax ? value.AsSpan(0, ShownMax) : value)
            text.Append(char.IsControl(c) ? $"\\u{(int)c:x4}" : c == '"' ? "\\\"" : c.ToString());
        return text.Append(value.Length > ShownMax ? "...\"" : "\"").ToString();
    }
}
