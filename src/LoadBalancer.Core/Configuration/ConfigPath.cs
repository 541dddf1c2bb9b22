using System.Buffers;

namespace LoadBalancer.Core.Configuration;

/// <summary>Paths as they stand in problems: <c>routes.api.hosts[0]</c>, <c>routes["a.b"].cluster</c>. Building and splitting kept together, so that they stay inverse.</summary>
internal static class ConfigPath
{
    private static readonly SearchValues<char> PlainCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-$");

    /// <summary>The path of a member; <paramref name="parent"/> is empty at the root.</summary>
    internal static string Member(string parent, string key)
    {
        if (key.Length == 0 || key.AsSpan().ContainsAnyExcept(PlainCharacters))
            return $"{parent}[\"{key.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"]";
        return parent.Length == 0 ? key : $"{parent}.{key}";
    }

    /// <summary>The path of a list element.</summary>
    internal static string Item(string parent, int index) => $"{parent}[{index}]";

    /// <summary>Whether <paramref name="path"/> is <paramref name="ancestor"/> or lies below it.</summary>
    internal static bool IsWithin(string path, string ancestor) =>
        ancestor.Length == 0
        || (path.StartsWith(ancestor, StringComparison.Ordinal) && (path.Length == ancestor.Length || path[ancestor.Length] is '.' or '['));

    /// <summary>The steps of a path: member names, and indexes as <c>int</c> in <see cref="Step.Index"/>.</summary>
    internal static List<Step> Split(string path)
    {
        var steps = new List<Step>();
        int i = 0;
        while (i < path.Length)
        {
            if (path[i] == '.') i++;
            else if (path[i] == '[' && i + 1 < path.Length && path[i + 1] == '"')
            {
                var key = new System.Text.StringBuilder();
                for (i += 2; i < path.Length && path[i] != '"'; i++)
                {
                    if (path[i] == '\\' && i + 1 < path.Length) i++;
                    key.Append(path[i]);
                }
                i += 2; // quote and bracket
                steps.Add(new Step(key.ToString(), -1));
            }
            else if (path[i] == '[')
            {
                int end = path.IndexOf(']', i);
                if (end < 0 || !int.TryParse(path.AsSpan(i + 1, end - i - 1), out int index)) return steps;
                steps.Add(new Step("", index));
                i = end + 1;
            }
            else
            {
                int end = path.AsSpan(i).IndexOfAny('.', '[');
                end = end < 0 ? path.Length : i + end;
                steps.Add(new Step(path[i..end], -1));
                i = end;
            }
        }
        return steps;
    }

    /// <summary>A member name, or an index at or above zero.</summary>
    internal readonly record struct Step(string Key, int Index);
}
