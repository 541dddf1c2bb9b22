using System.Text.Json;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Hosting.Configuration.Specs;

/// <summary>A string. Its meaning is checked by the validator; the pattern is for editors.</summary>
internal sealed class TextSpec(string? pattern = null, string[]? examples = null, string[]? choices = null) : ScalarSpec<string>
{
    private protected override string Expected => "a string";

    private protected override bool TryText(string text, bool isSubstituted, out string value, out string error)
    {
        value = text;
        error = "";
        return true;
    }

    private protected override string Hint(ConfigNode node) =>
        node.Kind is ConfigNodeKind.Number or ConfigNodeKind.True or ConfigNodeKind.False ? $" (write \"{Literal(node)}\")" : "";

    internal override void WriteSchema(SchemaWriter schema)
    {
        if (choices is not null) schema.Alternatives(json => SchemaWriter.Strings(json, "enum", choices));
        else if (pattern is not null) schema.Alternatives(json =>
        {
            json.WriteString("type", "string");
            json.WriteString("pattern", pattern);
        });
        else schema.Json.WriteString("type", "string");
        if (examples is not null) SchemaWriter.Strings(schema.Json, "examples", examples);
    }

    internal override void WriteValue(Utf8JsonWriter json, string value) => json.WriteStringValue(value);

    internal override void WriteDefault(Utf8JsonWriter json, string value)
    {
        if (value is not null) json.WriteString("default", value);
    }

    private static string Literal(ConfigNode node) => node.Kind == ConfigNodeKind.Number ? node.Text : node.Description;
}

/// <summary>One of the names of an enum, in lower case.</summary>
internal sealed class ChoiceSpec<T>(params (string Name, T Value)[] choices) : ScalarSpec<T> where T : struct, Enum
{
    private protected override string Expected => $"one of {string.Join(", ", choices.Select(c => $"\"{c.Name}\""))}";

    private protected override bool TryText(string text, bool isSubstituted, out T value, out string error)
    {
        error = "";
        foreach ((string name, T choice) in choices)
        {
            if (name != text) continue;
            value = choice;
            return true;
        }
        value = default;
        error = $"is unknown{Suggestion.Text(text, [.. choices.Select(c => c.Name)])}";
        return false;
    }

    internal override void WriteSchema(SchemaWriter schema) =>
        schema.Alternatives(json => SchemaWriter.Strings(json, "enum", choices.Select(c => c.Name)));

    internal override void WriteValue(Utf8JsonWriter json, T value) => json.WriteStringValue(choices.First(c => EqualityComparer<T>.Default.Equals(c.Value, value)).Name);

    internal override void WriteDefault(Utf8JsonWriter json, T value) =>
        json.WriteString("default", choices.First(c => EqualityComparer<T>.Default.Equals(c.Value, value)).Name);
}
