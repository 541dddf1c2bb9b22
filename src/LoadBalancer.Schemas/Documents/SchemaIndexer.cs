using LoadBalancer.Schemas.Json;

namespace LoadBalancer.Schemas.Documents;

/// <summary>Finds the identifiers and anchors of a schema and of those inside it. It goes where keywords have schemas, so that an enum with an $id in it says nothing.</summary>
internal static class SchemaIndexer
{
    private static readonly string[] Single =
        ["additionalProperties", "propertyNames", "not", "if", "then", "else", "contains", "items", "additionalItems", "unevaluatedItems", "unevaluatedProperties", "contentSchema"];

    private static readonly string[] Lists = ["allOf", "anyOf", "oneOf", "prefixItems", "items"];

    private static readonly string[] Maps = ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"];

    internal static void Index(SchemaRegistry registry, JsonValue schema, SchemaResource resource)
    {
        if (schema.Kind is JsonKind.True or JsonKind.False)
        {
            schema.Document.Resources[schema.Node] = resource;
            return;
        }
        if (!schema.IsObject || schema.Document.Resources.ContainsKey(schema.Node)) return;
        bool hasIdentifier = resource.Dialect.Draft != SchemaDraft.OpenApi30 && !(resource.Dialect.RefStandsAlone && schema.Find("$ref") is not null);
        if (hasIdentifier && schema.FindText("$id") is { } id) resource = Identify(registry, schema, id, resource);
        if (resource.Dialect.Is2020)
        {
            if (schema.FindText("$anchor") is { } anchor) AddAnchor(registry, resource.Anchors, anchor, schema);
            if (schema.FindText("$dynamicAnchor") is { } dynamic)
            {
                AddAnchor(registry, resource.Anchors, dynamic, schema);
                AddAnchor(registry, resource.DynamicAnchors, dynamic, schema);
            }
        }
        schema.Document.Resources[schema.Node] = resource;
        foreach ((string name, JsonValue value) in schema.Properties())
        {
            if (Array.IndexOf(Single, name) >= 0 && !value.IsArray) Index(registry, value, resource);
            else if (Array.IndexOf(Lists, name) >= 0) foreach (JsonValue item in value.Items()) Index(registry, item, resource);
            else if (Array.IndexOf(Maps, name) >= 0) foreach ((_, JsonValue member) in value.Properties()) Index(registry, member, resource);
        }
    }

    private static SchemaResource Identify(SchemaRegistry registry, JsonValue schema, string id, SchemaResource resource)
    {
        int hash = id.IndexOf('#', StringComparison.Ordinal);
        string fragment = hash < 0 ? "" : id[(hash + 1)..];
        if (hash != 0)
        {
            if (!Uri.TryCreate(resource.Uri, hash < 0 ? id : id[..hash], out Uri? uri))
            {
                registry.Add(schema, $"\"$id\": \"{id}\" is no reference");
                return resource;
            }
            Dialect dialect = resource.Dialect;
            if (schema != resource.Root && schema.FindText("$schema") is { } own) dialect = registry.DialectOf(own, schema) ?? dialect;
            resource = new SchemaResource(uri, schema, dialect);
            registry.Register(resource, schema);
        }
        // Draft 7 §8.2.3: an $id that is a fragment is what $anchor became later.
        if (fragment.Length > 0 && !resource.Dialect.Is2020) AddAnchor(registry, resource.Anchors, fragment, schema);
        return resource;
    }

    private static void AddAnchor(SchemaRegistry registry, Dictionary<string, JsonValue> anchors, string anchor, JsonValue schema)
    {
        if (!anchors.TryAdd(anchor, schema) && anchors[anchor] != schema) registry.Add(schema, $"the anchor \"{anchor}\" is there twice");
    }
}
