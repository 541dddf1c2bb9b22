using LoadBalancer.Schemas.Json;

namespace LoadBalancer.Schemas;

/// <summary>How schemas are read and instances are checked. Every bound is against a client or a schema that asks for too much.</summary>
public sealed record SchemaOptions
{
    /// <summary>Of the instances. Defaults as there.</summary>
    public JsonLimits Instance { get; init; } = new();

    /// <summary>Of each document.</summary>
    public JsonLimits Document { get; init; } = new() { BytesMax = 16 * 1024 * 1024, DepthMax = 256, NodesMax = 2_000_000 };

    /// <summary>Whether a schema without $schema is of draft 7. Default false: 2020-12.</summary>
    public bool DefaultsToDraft7 { get; init; }

    /// <summary>Whether "format" is asserted. Default false: an annotation (2020-12 validation §7.2.1). Formats that are not known are never asserted.</summary>
    public bool AssertFormats { get; init; }

    /// <summary>Most problems that are reported of one instance. Default 16.</summary>
    public int ProblemsMax { get; init; } = 16;

    /// <summary>
    /// Most steps of one validation: schemas applied, names tried against patterns, values compared. What needs more is refused, as anyOf in anyOf doubles the work at
    /// each level. Default 500,000, some ten milliseconds.
    /// </summary>
    public int StepsMax { get; init; } = 500_000;

    /// <summary>Most schemas applied inside each other. Default 512; each takes some 500 bytes of stack.</summary>
    public int NestingMax { get; init; } = 512;

    /// <summary>Longest that a regular expression may run on one string; longer is a failure. Most cannot take long, as they run without backtracking. Default 50 ms.</summary>
    public TimeSpan PatternTimeout { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Most schemas that one document may reach. Default 50,000.</summary>
    public int SchemasMax { get; init; } = 50_000;
}
