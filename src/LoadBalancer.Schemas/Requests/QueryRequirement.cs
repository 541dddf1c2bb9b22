namespace LoadBalancer.Schemas.Requests;

/// <summary>What a parameter of the query must look like.</summary>
public sealed record QueryRequirement
{
    /// <summary>Whether it must be there. Default false.</summary>
    public bool Required { get; init; }

    /// <summary>"string", "integer", "number", "boolean"; "array" for one that may be there several times. Default "string".</summary>
    public string Type { get; init; } = "string";

    /// <summary>A regular expression (ECMA-262) that is found in it; of an array in each. Null: any text.</summary>
    public string? Pattern { get; init; }

    /// <summary>The values that it may have. Empty: any.</summary>
    public IReadOnlyList<string> Enum { get; init; } = [];

    /// <summary>Smallest number, as JSON writes it. Null: any.</summary>
    public string? Min { get; init; }

    /// <summary>Largest number, as JSON writes it. Null: any.</summary>
    public string? Max { get; init; }

    /// <summary>Most characters. Null: any.</summary>
    public int? LengthMax { get; init; }
}
