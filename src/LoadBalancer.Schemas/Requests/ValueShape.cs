using LoadBalancer.Schemas.Documents;
using LoadBalancer.Schemas.Json;
using LoadBalancer.Schemas.Validation;

namespace LoadBalancer.Schemas.Requests;

/// <summary>Which JSON types the text of a parameter may stand for, read from its schema: "42" is a number where the schema wants one.</summary>
internal sealed class ValueShape
{
    private const int DepthMax = 6;
    private const int PropertiesMax = 256;

    internal static readonly ValueShape Any = new();

    private NameTable? _table;
    private readonly List<(string Name, ValueShape Shape)> _properties = [];

    internal KindSet Kinds { get; private set; } = KindSet.All;

    internal ValueShape? Items { get; private set; }

    internal bool IsArray => (Kinds & KindSet.Array) != 0 && Kinds != KindSet.All;

    internal bool IsObject => (Kinds & KindSet.Object) != 0 && Kinds != KindSet.All && !IsArray;

    /// <summary>Names that "properties" has.</summary>
    internal NameTable Properties => _table ??= new NameTable([.. _properties.Select(p => p.Name)]);

    internal ValueShape PropertyAt(int slot) => slot < 0 ? Any : _properties[slot].Shape;

    /// <summary>Whether properties that are not named may be there.</summary>
    internal bool IsOpen { get; private set; } = true;

    internal static ValueShape OfType(KindSet kinds) => new() { Kinds = kinds };

    internal static ValueShape Of(JsonValue schema, SchemaRegistry registry)
    {
        var shape = new ValueShape();
        shape.Read(schema, registry, 0);
        _ = shape.Properties;
        return shape;
    }

    private void Read(JsonValue schema, SchemaRegistry registry, int depth)
    {
        if (depth > DepthMax || !schema.IsObject) return;
        if (schema.FindText("$ref") is { } reference && registry.Resolve(registry.ResourceOf(schema), reference, schema) is { } target) Read(target, registry, depth + 1);
        if (schema.Find("type") is { } type)
        {
            KindSet kinds = KindSet.None;
            foreach (JsonValue name in type.IsArray ? type.Items() : [type])
            {
                if (name.IsString && KindSets.TryParse(name.Text, out KindSet kind)) kinds |= kind;
            }
            if (schema.IsSet("nullable")) kinds |= KindSet.Null;
            Kinds &= kinds | (kinds.HasFlag(KindSet.Integer) ? KindSet.Number : KindSet.None);
        }
        else if (schema.Find("enum") is { IsArray: true } values && values.Items().All(v => v.IsString))
        {
            Kinds &= KindSet.String;
        }
        if (schema.Find("items") is { IsObject: true } items) Items = Nested(items, registry, depth);
        if (schema.Find("additionalProperties") is { Kind: JsonKind.False }) IsOpen = false;
        foreach ((string name, JsonValue property) in schema.Find("properties")?.Properties() ?? [])
        {
            if (_properties.Count < PropertiesMax && !_properties.Exists(p => p.Name == name)) _properties.Add((name, Nested(property, registry, depth)));
        }
        foreach (JsonValue part in schema.Find("allOf")?.Items() ?? []) Read(part, registry, depth + 1);
        ReadAlternatives(schema, registry, depth);
    }

    private void ReadAlternatives(JsonValue schema, SchemaRegistry registry, int depth)
    {
        foreach (string keyword in (string[])["anyOf", "oneOf"])
        {
            if (schema.Find(keyword) is not { IsArray: true } alternatives) continue;
            KindSet kinds = KindSet.None;
            foreach (JsonValue alternative in alternatives.Items())
            {
                ValueShape shape = Nested(alternative, registry, depth);
                kinds |= shape.Kinds;
                Items ??= shape.Items;
                foreach ((string name, ValueShape property) in shape._properties)
                {
                    if (_properties.Count < PropertiesMax && !_properties.Exists(p => p.Name == name)) _properties.Add((name, property));
                }
            }
            Kinds &= kinds;
        }
    }

    private static ValueShape Nested(JsonValue schema, SchemaRegistry registry, int depth)
    {
        var shape = new ValueShape();
        shape.Read(schema, registry, depth + 1);
        _ = shape.Properties;
        return shape;
    }
}
