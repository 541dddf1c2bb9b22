namespace LoadBalancer.Schemas.OpenApi;

/// <summary>How an OpenAPI document is read and requests are held against it.</summary>
public sealed record OpenApiOptions
{
    /// <summary>Bounds of its schemas.</summary>
    public SchemaOptions Schema { get; init; } = new() { AssertFormats = true };

    /// <summary>What all its paths begin with, as in "/api/v1"; "/" for nothing. Null: what its servers say.</summary>
    public string? BasePath { get; init; }

    /// <summary>Whether a request may have no query parameters but those of its operation. Default false.</summary>
    public bool RefuseUnknownQuery { get; init; }

    /// <summary>Whether responses are read too. Default true; without, <see cref="Requests.RequestContract.ValidateResponse"/> finds nothing.</summary>
    public bool ReadResponses { get; init; } = true;
}
