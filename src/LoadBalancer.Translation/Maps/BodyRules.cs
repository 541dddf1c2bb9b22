namespace LoadBalancer.Translation.Maps;

/// <summary>What the map says of a document: rules of its own, or those of a type.</summary>
internal sealed record BodyRules(string MapPath, IReadOnlyList<FieldRule> Fields, string? Type, bool DropsUnknown);

/// <summary>Rules that several documents or values share.</summary>
internal sealed record TypeRules(string MapPath, IReadOnlyList<FieldRule> Fields, bool DropsUnknown);

/// <summary>What the map says of one kind of message: its document and its header fields.</summary>
internal sealed record MessageRules(BodyRules? Body, IReadOnlyList<FieldRule> Headers);

/// <summary>One operation of an API, in both versions.</summary>
internal sealed record OperationRules
{
    /// <summary>Where it stands in the map.</summary>
    internal required string MapPath { get; init; }

    internal required PathTemplate V1 { get; init; }

    internal required PathTemplate V2 { get; init; }

    internal IReadOnlyList<FieldRule> Query { get; init; } = [];

    internal MessageRules? Request { get; init; }

    internal MessageRules? Response { get; init; }

    /// <summary>Of responses with 4xx and 5xx.</summary>
    internal MessageRules? Errors { get; init; }

    /// <summary>Status codes of v1 and v2; the first pair of a code counts.</summary>
    internal IReadOnlyList<(int V1, int V2)> Status { get; init; } = [];

    internal PathTemplate Template(MapVersion version) => version == MapVersion.V1 ? V1 : V2;
}
