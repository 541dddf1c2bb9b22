namespace LoadBalancer.Schemas.Documents;

/// <summary>Which keywords a schema may use, and what they mean.</summary>
internal enum SchemaDraft : byte
{
    Draft7,
    Draft202012,
    /// <summary>The schema object of OpenAPI 3.0: nullable, boolean exclusiveMinimum, no $id; $ref replaces what stands beside it.</summary>
    OpenApi30,
}

/// <param name="Draft">The draft.</param>
/// <param name="HasApplicators">Whether the vocabulary of properties, items, allOf... is in use.</param>
/// <param name="HasAssertions">Whether the vocabulary of type, minimum, required... is in use.</param>
/// <param name="HasUnevaluated">Whether the vocabulary of unevaluatedItems and unevaluatedProperties is in use.</param>
/// <param name="AssertsFormats">Whether it has the vocabulary format-assertion.</param>
internal sealed record Dialect(SchemaDraft Draft, bool HasApplicators = true, bool HasAssertions = true, bool HasUnevaluated = true, bool AssertsFormats = false)
{
    internal const string Uri7 = "http://json-schema.org/draft-07/schema";
    internal const string Uri202012 = "https://json-schema.org/draft/2020-12/schema";
    internal const string Uri202012Vocabularies = "https://json-schema.org/draft/2020-12/vocab/";

    /// <summary>The dialect of OpenAPI 3.1: 2020-12 with annotations of OpenAPI.</summary>
    internal const string UriOpenApi31 = "https://spec.openapis.org/oas/3.1/dialect/base";

    internal static readonly Dialect Draft7 = new(SchemaDraft.Draft7, HasUnevaluated: false);
    internal static readonly Dialect Draft202012 = new(SchemaDraft.Draft202012);
    internal static readonly Dialect OpenApi30 = new(SchemaDraft.OpenApi30, HasUnevaluated: false);

    internal bool Is2020 => Draft == SchemaDraft.Draft202012;

    /// <summary>Whether $ref replaces its siblings.</summary>
    internal bool RefStandsAlone => Draft != SchemaDraft.Draft202012;
}
