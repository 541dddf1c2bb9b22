namespace LoadBalancer.Schemas.Requests;

/// <summary>What requests must look like, without an OpenAPI document.</summary>
public sealed record RequestRequirements
{
    /// <summary>In upper case. Empty: any.</summary>
    public IReadOnlyList<string> Methods { get; init; } = [];

    /// <summary>Media types or ranges of a body, as in "application/json" or "image/*". Empty: any.</summary>
    public IReadOnlyList<string> ContentTypes { get; init; } = [];

    /// <summary>Header fields that must be there. Empty: none.</summary>
    public IReadOnlyList<string> RequiredHeaders { get; init; } = [];

    /// <summary>Parameters of the query by name.</summary>
    public IReadOnlyDictionary<string, QueryRequirement> Query { get; init; } = new Dictionary<string, QueryRequirement>();

    /// <summary>Whether a request may have no query parameters but those of <see cref="Query"/>. Default false.</summary>
    public bool RefuseUnknownQuery { get; init; }

    /// <summary>What a JSON body must look like. Null: bodies are not read.</summary>
    public JsonSchema? Body { get; init; }

    /// <summary>Whether a request must have a body: with <see cref="Body"/> those of POST, PUT and PATCH must. Default true.</summary>
    public bool BodyRequired { get; init; } = true;
}
