namespace LoadBalancer.Schemas.OpenApi;

/// <summary>What a document says of a method and a path.</summary>
public readonly struct OpenApiMatch
{
    internal OpenApiMatch(PathItem? item, OpenApiOperation? operation, in PathValues values)
    {
        Item = item;
        Operation = operation;
        Values = values;
    }

    internal PathItem? Item { get; }

    /// <summary>Whether the path is described: else 404.</summary>
    public bool IsPathKnown => Item is not null;

    /// <summary>Null: the path has no such method (405), or is not described.</summary>
    public OpenApiOperation? Operation { get; }

    /// <summary>The methods of the path, for Allow.</summary>
    public string Allow => Item?.Allow ?? "";

    /// <summary>The parameters of the path.</summary>
    public PathValues Values { get; }
}
