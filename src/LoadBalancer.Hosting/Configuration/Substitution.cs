using System.Text;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Hosting.Configuration;

/// <summary><c>${NAME}</c>, <c>${NAME:-default}</c>, <c>$${</c> for a plain <c>${</c>, and a whole value of <c>@file:/path</c>.</summary>
internal static class Substitution
{
    private const string FilePrefix = "@file:";

    /// <summary>The value meant by a string; false, with a problem reported, when it cannot be had.</summary>
    internal static bool TryResolve(ConfigNode node, string path, ReadContext context, out string value)
    {
        if (!TryEnvironment(node, path, context, out value)) return false;
        // Asked of what the file says, not of what a variable holds: a variable cannot make us open a file.
        if (!node.Text.StartsWith(FilePrefix, StringComparison.Ordinal)) return true;
        string file = value[FilePrefix.Length..];
        if (context.Sources.TryReadFile(file, out value, out string error)) return true;
        context.Add(node, path, $"the file {CharacterText.Quote(file)} {error}");
        return false;
    }

    /// <summary>Whether a string takes its value from elsewhere, so that it may stand for a number or a boolean.</summary>
    internal static bool IsUsed(ConfigNode node) =>
        node.Kind == ConfigNodeKind.String
        && (node.Text.Contains("${", StringComparison.Ordinal) || node.Text.StartsWith(FilePrefix, StringComparison.Ordinal));

    private static bool TryEnvironment(ConfigNode node, string path, ReadContext context, out string value)
    {
        string text = node.Text;
        value = text;
        int start = text.IndexOf("${", StringComparison.Ordinal);
        if (start < 0) return true;
        var result = new StringBuilder();
        int copied = 0;
        for (; start >= 0; start = text.IndexOf("${", copied, StringComparison.Ordinal))
        {
            if (start > copied && text[start - 1] == '$') // $${
            {
                result.Append(text, copied, start - 1 - copied).Append("${");
                copied = start + 2;
                continue;
            }
            result.Append(text, copied, start - copied);
            int end = text.IndexOf('}', start);
            if (end < 0) return Fail("\"${\" has no \"}\"; write \"$${\" for a plain \"${\"");
            string name = text[(start + 2)..end];
            int separator = name.IndexOf(":-", StringComparison.Ordinal);
            string? fallback = separator < 0 ? null : name[(separator + 2)..];
            if (separator >= 0) name = name[..separator];
            if (name.Length == 0 || char.IsAsciiDigit(name[0]) || !name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_'))
                return Fail($"{CharacterText.Quote(name)} is no name of an environment variable; expected \"${{NAME}}\" or \"${{NAME:-default}}\"");
            // As in a shell, ":-" also replaces an empty value.
            string? found = context.Sources.Environment(name);
            if (string.IsNullOrEmpty(found) && fallback is not null) found = fallback;
            if (found is null) return Fail($"the environment variable {name} is not set; set it, or write \"${{{name}:-default}}\"");
            result.Append(found);
            copied = end + 1;
        }
        value = result.Append(text, copied, text.Length - copied).ToString();
        return true;

        bool Fail(string message)
        {
            context.Add(node, path, message);
            return false;
        }
    }
}
