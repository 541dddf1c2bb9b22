namespace LoadBalancer.Edge.Commands;

/// <summary>Text that others had a say in, for a terminal.</summary>
internal static class TerminalText
{
    /// <summary>Without control characters, which a terminal would obey: those of Latin-1 (U+0080 to U+009F) too.</summary>
    internal static string Clean(string text) => text.Any(char.IsControl) ? string.Concat(text.Select(c => char.IsControl(c) ? '?' : c)) : text;
}
