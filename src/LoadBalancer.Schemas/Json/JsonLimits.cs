namespace LoadBalancer.Schemas.Json;

/// <summary>How much JSON is read.</summary>
public sealed record JsonLimits
{
    /// <summary>Most bytes of a text. Default 1 MiB.</summary>
    public int BytesMax { get; init; } = 1024 * 1024;

    /// <summary>Most arrays and objects inside each other, 1 to 1024. Default 64, as System.Text.Json has it.</summary>
    public int DepthMax { get; init; } = 64;

    /// <summary>Most values and property names; each takes 20 bytes while it is looked at. Default 200,000.</summary>
    public int NodesMax { get; init; } = 200_000;

    /// <summary>
    /// Whether an object may name a property twice. Default false: of two readers one takes the first and one the last, so what was checked would not be what is used
    /// (RFC 8259 §4). With true each of the two is checked.
    /// </summary>
    public bool AllowDuplicateNames { get; init; }
}
