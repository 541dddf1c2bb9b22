using System.Text.Json;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Hosting.Configuration.Specs;

/// <summary>An object with known keys, read into an immutable record: each field makes a changed copy. Unknown keys are problems.</summary>
/// <param name="name">Name in the schema's definitions.</param>
/// <param name="doc">One or two sentences for the reader of the schema.</param>
/// <param name="empty">The record with its defaults; required properties are empty.</param>
/// <param name="fields">All keys.</param>
internal sealed class ObjectSpec<T>(string name, string doc, Func<T> empty, params FieldSpec<T>[] fields) : ValueSpec<T>, IObjectSpec where T : class
{
    /// <summary>Makes the record from a plain string, where one may stand for the object.</summary>
    internal Func<string, T>? FromText { get; init; }

    /// <summary>Whether "true" stands for the object with all its defaults.</summary>
    internal bool IsDefaultForTrue { get; init; }

    /// <summary>Keys of which exactly one must be given (checked by the validator).</summary>
    internal string[] ExactlyOneOf { get; init; } = [];

    internal IReadOnlyList<FieldSpec<T>> Fields => fields;

    /// <inheritdoc/>
    public string Name => name;

    internal Func<T> Empty => empty;

    internal override bool TryRead(ConfigNode node, string path, ReadContext context, out T value)
    {
        value = empty();
        if (node.Kind == ConfigNodeKind.String && FromText is not null)
        {
            if (!Substitution.TryResolve(node, path, context, out string text)) return false;
            value = FromText(text);
            return true;
        }
        if (node.Kind == ConfigNodeKind.True && IsDefaultForTrue) return true;
        if (node.Kind != ConfigNodeKind.Object) return Wrong(node, path, context, FromText is not null ? "an object or a string" : IsDefaultForTrue ? "an object or true" : "an object");
        ReadMembers(node, path, context, ref value);
        return true;
    }

    /// <summary>The root object, which may also name its schema.</summary>
    internal T ReadRoot(ConfigNode root, ReadContext context)
    {
        T value = empty();
        if (root.Kind != ConfigNodeKind.Object) Wrong(root, "", context, "an object");
        else ReadMembers(root, "", context, ref value, isRoot: true);
        return value;
    }

    private void ReadMembers(ConfigNode node, string path, ReadContext context, ref T value, bool isRoot = false)
    {
        foreach (ConfigMember member in node.Members)
        {
            string memberPath = ConfigPath.Member(path, member.Key);
            if (Array.Find(fields, f => f.Name == member.Key) is { } field) value = field.Read(value, member.Value, memberPath, context);
            else if (!isRoot || member.Key != "$schema") Unknown(member, path, memberPath, node, context);
        }
        foreach (FieldSpec<T> field in fields)
            if (field.IsRequired && !node.Members.Exists(m => m.Key == field.Name || m.Key == field.RequiredUnless) && !context.IsExactlyTouched(ConfigPath.Member(path, field.Name)))
            {
                context.Add(node, path, $"the key \"{field.Name}\" is missing: {field.Doc}");
                context.Touch(ConfigPath.Member(path, field.Name));
            }
    }

    private void Unknown(ConfigMember member, string path, string memberPath, ConfigNode node, ReadContext context)
    {
        string[] free = [.. fields.Select(f => f.Name).Where(n => !node.Members.Exists(m => m.Key == n))];
        string? meant = fields.FirstOrDefault(f => f.OtherNames.Contains(member.Key, StringComparer.OrdinalIgnoreCase))?.Name
            ?? Suggestion.Nearest(member.Key, free);
        if (meant is not null) context.Touch(ConfigPath.Member(path, meant));
        string rest = meant is not null ? $"; did you mean \"{meant}\"?" : Suggestion.Text(member.Key, [.. fields.Select(f => f.Name)]);
        context.Add(member.KeyOffset, memberPath, $"unknown key {CharacterText.Quote(member.Key)}{rest}");
    }

    internal override void WriteValue(Utf8JsonWriter json, T value)
    {
        json.WriteStartObject();
        foreach (FieldSpec<T> field in fields) field.Write(json, value);
        json.WriteEndObject();
    }

    internal override void WriteSchema(SchemaWriter schema)
    {
        if (IsDefaultForTrue) schema.AnyOf(json => json.WriteBoolean("const", true), _ => schema.Reference(this));
        else if (FromText is null) schema.Reference(this);
        else schema.AnyOf(json => json.WriteString("type", "string"), _ => schema.Reference(this));
    }

    /// <inheritdoc/>
    public void WriteDefinition(SchemaWriter schema, bool isRoot)
    {
        Utf8JsonWriter json = schema.Json;
        json.WriteString("description", doc);
        json.WriteString("type", "object");
        json.WriteBoolean("additionalProperties", false);
        FieldSpec<T>[] required = [.. fields.Where(f => f.IsRequired && f.RequiredUnless is null)];
        if (required.Length > 0) SchemaWriter.Strings(json, "required", required.Select(f => f.Name));
        if (ExactlyOneOf.Length > 0) WriteRequired(json, "oneOf", ExactlyOneOf);
        if (fields.SingleOrDefault(f => f.RequiredUnless is not null) is { } either) WriteRequired(json, "anyOf", either.Name, either.RequiredUnless!);
        json.WriteStartObject("properties");
        if (isRoot)
        {
            json.WriteStartObject("$schema");
            json.WriteString("description", "Where this schema is, for editors. Not read otherwise.");
            json.WriteString("type", "string");
            json.WriteEndObject();
        }
        T defaults = empty();
        foreach (FieldSpec<T> field in fields)
        {
            json.WriteStartObject(field.Name);
            json.WriteString("description", field.Doc);
            field.WriteSchema(schema, defaults);
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    private static void WriteRequired(Utf8JsonWriter json, string combination, params ReadOnlySpan<string> keys)
    {
        json.WriteStartArray(combination);
        foreach (string key in keys)
        {
            json.WriteStartObject();
            SchemaWriter.Strings(json, "required", [key]);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }
}

/// <summary>An object spec, whatever record it reads.</summary>
internal interface IObjectSpec
{
    /// <summary>Name in the schema's definitions.</summary>
    string Name { get; }

    /// <summary>Writes the members of the definition.</summary>
    void WriteDefinition(SchemaWriter schema, bool isRoot);
}
