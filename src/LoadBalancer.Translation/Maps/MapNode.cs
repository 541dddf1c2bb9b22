using System.Text.Json;

namespace LoadBalancer.Translation.Maps;

/// <summary>A value of a map with its place, and what is said of it when it is wrong.</summary>
internal readonly struct MapNode(JsonElement value, string path, List<MapProblem> problems)
{
    internal JsonElement Value { get; } = value;

    internal string Path { get; } = path;

    internal JsonValueKind Kind => Value.ValueKind;

    internal bool IsObject => Kind == JsonValueKind.Object;

    internal bool IsArray => Kind == JsonValueKind.Array;

    internal bool IsText => Kind == JsonValueKind.String;

    internal string Text => Value.GetString()!;

    internal void Wrong(string message) => problems.Add(new MapProblem(Path, message));

    internal void Expected(string what) => Wrong($"expected {what}, found {Describe()}");

    internal string Describe() => Kind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => $"\"{Text}\"",
        JsonValueKind.Null => "null",
        _ => Value.GetRawText(),
    };

    internal MapNode? Find(string name) => IsObject && Value.TryGetProperty(name, out JsonElement found) ? new MapNode(found, Member(name), problems) : null;

    internal IEnumerable<(string Name, MapNode Node)> Members()
    {
        if (!IsObject) yield break;
        foreach (JsonProperty property in Value.EnumerateObject()) yield return (property.Name, new MapNode(property.Value, Member(property.Name), problems));
    }

    internal IEnumerable<MapNode> Items()
    {
        if (!IsArray) yield break;
        int index = 0;
        foreach (JsonElement item in Value.EnumerateArray()) yield return new MapNode(item, $"{Path}[{index++}]", problems);
    }

    /// <summary>Names of this object that are none of those known.</summary>
    internal void Only(params ReadOnlySpan<string> known)
    {
        string[] names = known.ToArray();
        foreach ((string name, MapNode node) in Members())
        {
            if (names.Contains(name, StringComparer.Ordinal)) continue;
            string? nearest = names.FirstOrDefault(k => string.Equals(k, name, StringComparison.OrdinalIgnoreCase) || (name.Length > 2 && (k.StartsWith(name, StringComparison.OrdinalIgnoreCase) || name.StartsWith(k, StringComparison.OrdinalIgnoreCase))));
            node.Wrong($"unknown key \"{name}\"{(nearest is null ? $"; expected one of {string.Join(", ", names.Select(n => $"\"{n}\""))}" : $"; did you mean \"{nearest}\"?")}");
        }
    }

    /// <summary>A choice by name; the first of them where there is none.</summary>
    internal int Choice(string name, params ReadOnlySpan<string> choices)
    {
        if (Find(name) is not { } node) return 0;
        if (node.IsText && choices.IndexOf(node.Text) is var at and >= 0) return at;
        node.Expected(string.Join(" or ", choices.ToArray().Select(c => $"\"{c}\"")));
        return 0;
    }

    internal bool Flag(string name)
    {
        if (Find(name) is not { } node) return false;
        if (node.Kind is JsonValueKind.True or JsonValueKind.False) return node.Value.GetBoolean();
        node.Expected("true or false");
        return false;
    }

    private string Member(string name) => name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '$') && name.Length > 0 ? Path.Length == 0 ? name : $"{Path}.{name}" : $"{Path}[\"{name}\"]";
}
