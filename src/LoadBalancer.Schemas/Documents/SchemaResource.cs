namespace LoadBalancer.Schemas.Documents;

/// <summary>A schema with an identifier of its own, and what is inside it up to the next that has one (2020-12 core §4.3.5).</summary>
internal sealed class SchemaResource(Uri uri, JsonValue root, Dialect dialect)
{
    internal Uri Uri { get; } = uri;

    internal JsonValue Root { get; } = root;

    internal Dialect Dialect { get; } = dialect;

    /// <summary>$anchor and $dynamicAnchor; in draft 7 an $id that is only a fragment.</summary>
    internal Dictionary<string, JsonValue> Anchors { get; } = new(StringComparer.Ordinal);

    /// <summary>$dynamicAnchor alone.</summary>
    internal Dictionary<string, JsonValue> DynamicAnchors { get; } = new(StringComparer.Ordinal);
}
