using LoadBalancer.Core.Configuration;
namespace LoadBalancer.Gateway.Validation;

/// <summary>What a parameter of the query must look like.</summary>
public sealed record QueryParameterConfig
{
    /// <summary>Whether it must be there. Default false.</summary>
    public bool Required { get; init; }

    /// <summary>"string", "integer", "number", "boolean"; "array" for one that may be there several times. Default "string".</summary>
    public string Type { get; init; } = "string";

    /// <summary>A regular expression (ECMA-262) that is found in it. Null (default): any text.</summary>
    public string? Pattern { get; init; }

    /// <summary>The values that it may have. Empty (default): any.</summary>
    public IReadOnlyList<string> Enum { get; init => field = ConfigList<string>.Of(value); } = [];

    /// <summary>Smallest number, as a number is written. Null (default): any.</summary>
    public string? Min { get; init; }

    /// <summary>Largest number, as a number is written. Null (default): any.</summary>
    public string? Max { get; init; }

    /// <summary>Most characters. 0 (default): any number.</summary>
    public int LengthMax { get; init; }
}
