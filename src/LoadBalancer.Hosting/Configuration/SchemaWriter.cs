using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Hosting.Configuration.Specs;

namespace LoadBalancer.Hosting.Configuration;

/// <summary>Writes the JSON Schema (draft 2020-12) of the configuration file from the same specs that read it.</summary>
internal sealed class SchemaWriter
{
    private const string Substituted = "substituted";
    private readonly List<IObjectSpec> _definitions = [];

    private SchemaWriter(Utf8JsonWriter json) => Json = json;

    internal Utf8JsonWriter Json { get; }

    /// <summary>The whole schema, with a line end at its end.</summary>
    internal static string Write(IObjectSpec root)
    {
        using var stream = new MemoryStream();
        // Relaxed: the schema is a file of its own, never part of HTML.
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            var schema = new SchemaWriter(json);
            json.WriteStartObject();
            json.WriteString("$schema", "https://json-schema.org/draft/2020-12/schema");
            json.WriteString("title", "LoadBalancer configuration");
            root.WriteDefinition(schema, isRoot: true);
            json.WriteStartObject("$defs");
            for (int i = 0; i < schema._definitions.Count; i++) // grows while it is written
            {
                json.WriteStartObject(schema._definitions[i].Name);
                schema._definitions[i].WriteDefinition(schema, isRoot: false);
                json.WriteEndObject();
            }
            json.WriteStartObject(Substituted);
            json.WriteString("description", "A value from elsewhere: \"${NAME}\", \"${NAME:-default}\" or \"@file:/path\".");
            json.WriteString("type", "string");
            json.WriteString("pattern", @"\$\{|^@file:");
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length) + "\n";
    }

    internal void Reference(IObjectSpec spec)
    {
        if (!_definitions.Contains(spec)) _definitions.Add(spec);
        Json.WriteString("$ref", $"#/$defs/{spec.Name}");
    }

    /// <summary>Any of the forms, or a substituted string.</summary>
    internal void Alternatives(params Action<Utf8JsonWriter>?[] forms) =>
        AnyOf([.. forms, json => json.WriteString("$ref", $"#/$defs/{Substituted}")]);

    /// <summary>Any of the forms.</summary>
    internal void AnyOf(params Action<Utf8JsonWriter>?[] forms)
    {
        Json.WriteStartArray("anyOf");
        foreach (Action<Utf8JsonWriter>? form in forms)
        {
            if (form is null) continue;
            Json.WriteStartObject();
            form(Json);
            Json.WriteEndObject();
        }
        Json.WriteEndArray();
    }

    /// <summary>The form, or null.</summary>
    internal void OrNull(Action<SchemaWriter> form) => AnyOf(_ => form(this), json => json.WriteString("type", "null"));

    /// <summary>An item, or a list of them.</summary>
    internal void OneOrList<T>(ValueSpec<T> item) => AnyOf(
        _ => item.WriteSchema(this),
        json =>
        {
            json.WriteString("type", "array");
            json.WriteStartObject("items");
            item.WriteSchema(this);
            json.WriteEndObject();
        });

    internal static void Strings(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (string value in values) json.WriteStringValue(value);
        json.WriteEndArray();
    }

    internal static void Range(Utf8JsonWriter json, NumberRange range)
    {
        json.WriteNumber("minimum", range.Min);
        if (range.Max != long.MaxValue) json.WriteNumber("maximum", range.Max);
    }
}
