using System.Text;
using System.Text.Json;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Hosting.Configuration;

/// <summary>The reference of the configuration file for people, in Markdown: made of the schema, and so of the same tables that read the file.</summary>
public static class ConfigReference
{
    /// <summary>The whole document, with a line end at its end.</summary>
    public static string Text
    {
        get
        {
            using JsonDocument schema = JsonDocument.Parse(ConfigSchema.Text);
            return new Writer(schema.RootElement).Write();
        }
    }

    private sealed class Writer(JsonElement schema)
    {
        private const string Introduction = """
            # Configuration

            Every key of `lb.json`, made by `lb schema --markdown` of the same tables that read the file. The file is JSON with comments and trailing commas; `lb init` writes one to start from, `lb check` tells every
            problem with its place, and editors complete keys by `schema/lb.schema.json`.

            - A *duration* is a whole number with a unit: `500ms`, `30s`, `2m`, `1h`, `1d`. Zero may be written as `0`, where it is allowed.
            - A *size* is a number of bytes, or text with a unit: `16KiB` (1024 each) or `16KB` (1000 each).
            - A *map* is an object whose keys are your own names. Where a *list* of texts is expected, one text may stand alone.
            - Every value may come from elsewhere: `"${NAME}"` from the environment, `"${NAME:-default}"`, and `"@file:/run/secrets/key"` from a file.
            - Relative paths start from the folder of the file.


            """;

        private static readonly string s_duration = DurationText.Pattern.Replace("0|", "", StringComparison.Ordinal);
        private readonly JsonElement _definitions = schema.GetProperty("$defs");
        private readonly HashSet<string> _written = new(StringComparer.Ordinal);
        private readonly StringBuilder _text = new();

        internal string Write()
        {
            _text.Append(Introduction);
            _text.Append("## The file\n\n");
            Table(schema);
            foreach (JsonProperty key in schema.GetProperty("properties").EnumerateObject())
            {
                // What is reached by an earlier key stands there.
                List<string> reached = [];
                Reach(key.Value, reached);
                if (reached.Count == 0) continue;
                _text.Append("## ").Append(key.Name).Append("\n\n");
                _text.Append(Plain(key.Value.GetProperty("description").GetString()!)).Append("\n\n");
                foreach (string name in reached) Definition(name);
            }
            return _text.ToString().TrimEnd() + "\n";
        }

        private void Definition(string name)
        {
            JsonElement definition = _definitions.GetProperty(name);
            _text.Append("### ").Append(name).Append("\n\n");
            _text.Append(Plain(definition.GetProperty("description").GetString()!)).Append("\n\n");
            if (Choice(definition, "oneOf") is { } one) _text.Append("Exactly one of ").Append(one).Append(" is given.\n\n");
            if (Choice(definition, "anyOf") is { } any) _text.Append("At least one of ").Append(any).Append(" is given.\n\n");
            Table(definition);
        }

        private void Table(JsonElement definition)
        {
            HashSet<string> required = definition.TryGetProperty("required", out JsonElement keys) ? [.. keys.EnumerateArray().Select(key => key.GetString()!)] : [];
            _text.Append("| key | type | default | |\n|---|---|---|---|\n");
            foreach (JsonProperty key in definition.GetProperty("properties").EnumerateObject())
            {
                string standard = required.Contains(key.Name) ? "required" : key.Value.TryGetProperty("default", out JsonElement value) ? Default(value) : "";
                string examples = key.Value.TryGetProperty("examples", out JsonElement some) || (key.Value.TryGetProperty("anyOf", out JsonElement forms) && forms[0].TryGetProperty("examples", out some))
                    ? $" For example {string.Join(", ", some.EnumerateArray().Select(example => Code(example.GetString()!)))}." : "";
                _text.Append("| ").Append(Code(key.Name)).Append(" | ").Append(Type(key.Value)).Append(" | ").Append(standard).Append(" | ")
                    .Append(Plain(key.Value.GetProperty("description").GetString()!)).Append(examples).Append(" |\n");
            }
            _text.Append('\n');
        }

        private static string? Choice(JsonElement definition, string combination) => definition.TryGetProperty(combination, out JsonElement keys)
            ? string.Join(", ", keys.EnumerateArray().Select(key => Code(key.GetProperty("required")[0].GetString()!))) : null;

        // Depth first, so that the parts of a part follow it.
        private void Reach(JsonElement value, List<string> reached)
        {
            if (value.ValueKind == JsonValueKind.Array)
            {
                foreach (JsonElement item in value.EnumerateArray()) Reach(item, reached);
                return;
            }
            if (value.ValueKind != JsonValueKind.Object) return;
            foreach (JsonProperty member in value.EnumerateObject())
            {
                if (member.Name == "$ref")
                {
                    string name = Referred(member.Value);
                    if (name == "substituted" || !_written.Add(name)) continue;
                    reached.Add(name);
                    Reach(_definitions.GetProperty(name).GetProperty("properties"), reached);
                }
                else if (member.Name is not ("description" or "default" or "examples" or "enum")) Reach(member.Value, reached);
            }
        }

        private string Type(JsonElement value)
        {
            if (value.TryGetProperty("$ref", out JsonElement reference)) return Referred(reference) is var name && name == "substituted" ? "" : $"[{name}](#{name.ToLowerInvariant()})";
            if (value.TryGetProperty("enum", out JsonElement choices)) return string.Join(", ", choices.EnumerateArray().Select(choice => Code(choice.ValueKind == JsonValueKind.String ? choice.GetString()! : choice.GetRawText())));
            if (value.TryGetProperty("const", out JsonElement constant)) return Code(constant.GetRawText());
            if (value.TryGetProperty("anyOf", out JsonElement forms)) return AnyOf([.. forms.EnumerateArray()]);
            return value.GetProperty("type").GetString() switch
            {
                "string" => value.TryGetProperty("pattern", out JsonElement pattern) && pattern.GetString()!.Replace("0|", "", StringComparison.Ordinal) == s_duration ? "duration" : "text",
                "integer" => $"number{Range(value)}",
                "number" => "number",
                "boolean" => "true or false",
                "array" => $"list of {Type(value.GetProperty("items"))}",
                "object" => value.TryGetProperty("additionalProperties", out JsonElement item) ? $"map of {Type(item)}" : "object",
                "null" => Code("null"),
                var other => other ?? "",
            };
        }

        private string AnyOf(JsonElement[] forms)
        {
            // A size is a number or text with a unit; a duration may be 0.
            if (forms.Any(form => form.TryGetProperty("pattern", out JsonElement pattern) && pattern.GetString() == SizeText.Pattern)) return $"size{Range(forms[0], isSize: true)}";
            string[] types = [.. forms.Select(Type).Where(type => type.Length > 0).Distinct()];
            if (types is ["duration", "`0`"]) return "duration, or 0";
            // "text or list of text" is a list: that one may stand alone is said once, above.
            if (types.Length == 2 && types[1] == $"list of {types[0]}") return types[1];
            return string.Join(" or ", types);
        }

        private static string Range(JsonElement value, bool isSize = false)
        {
            if (!value.TryGetProperty("minimum", out JsonElement min)) return "";
            string Show(JsonElement bound) => isSize ? SizeText.Format(bound.GetInt64()) : bound.GetRawText();
            bool isBounded = value.TryGetProperty("maximum", out JsonElement max) && max.GetInt64() < int.MaxValue;
            return isBounded || (isSize && max.ValueKind == JsonValueKind.Number) ? $", {Show(min)} to {Show(max)}" : $", {Show(min)} or more";
        }

        private static string Default(JsonElement value) => value.ValueKind switch
        {
            JsonValueKind.String => value.GetString() is { Length: > 0 } text ? Code(text) : "",
            JsonValueKind.Array => value.GetArrayLength() == 0 ? "" : string.Join(", ", value.EnumerateArray().Select(item => Code(item.GetString()!))),
            _ => Code(value.GetRawText()),
        };

        private static string Referred(JsonElement reference) => reference.GetString()!["#/$defs/".Length..];

        private static string Code(string text) => $"`{Escaped(text)}`";

        // The stars of "/**" are no emphasis.
        private static string Plain(string text) => Escaped(text).Replace("*", "\\*", StringComparison.Ordinal);

        // A line of a table: a bar would be its end.
        private static string Escaped(string text) => text.Replace("|", "\\|", StringComparison.Ordinal).ReplaceLineEndings(" ");
    }
}
