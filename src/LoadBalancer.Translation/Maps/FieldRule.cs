using LoadBalancer.Translation.Conversions;

namespace LoadBalancer.Translation.Maps;

/// <summary>One line of a map: what is one thing in v1 and another in v2. Immutable.</summary>
internal sealed class FieldRule
{
    /// <summary>Where the rule stands in the map.</summary>
    internal required string MapPath { get; init; }

    /// <summary>Where the value is in v1. Empty: v1 does not have it. Several: its parts.</summary>
    internal required FieldPath[] V1 { get; init; }

    /// <summary>Where the value is in v2.</summary>
    internal required FieldPath[] V2 { get; init; }

    /// <summary>What is lost is known.</summary>
    internal bool IsLossy { get; init; }

    /// <summary>JSON that is written to v1 where v2 has nothing.</summary>
    internal byte[]? DefaultV1 { get; init; }

    /// <summary>JSON that is written to v2 where v1 has nothing.</summary>
    internal byte[]? DefaultV2 { get; init; }

    /// <summary>A value that is the default is left out on the way back.</summary>
    internal bool OmitsDefault { get; init; }

    /// <summary>JSON that is always written to the side that the rule names.</summary>
    internal byte[]? Constant { get; init; }

    internal Conversion? Conversion { get; init; }

    /// <summary>One value on v1 is a list of one on v2.</summary>
    internal bool IsListInV2 { get; init; }

    /// <summary>One value on v2 is a list of one on v1.</summary>
    internal bool IsListInV1 { get; init; }

    /// <summary>Between the parts of a value.</summary>
    internal byte[]? Separator { get; init; }

    /// <summary>The first part takes what is too much, not the last.</summary>
    internal bool SplitsAtLast { get; init; }

    /// <summary>Name of the type whose rules hold within the value.</summary>
    internal string? Type { get; init; }

    internal FieldPath[] Side(MapVersion version) => version == MapVersion.V1 ? V1 : V2;

    internal byte[]? Default(MapVersion version) => version == MapVersion.V1 ? DefaultV1 : DefaultV2;

    /// <summary>With other paths: what is left of them within elements or members.</summary>
    internal FieldRule With(FieldPath[] v1, FieldPath[] v2) => new()
    {
        MapPath = MapPath,
        V1 = v1,
        V2 = v2,
        IsLossy = IsLossy,
        DefaultV1 = DefaultV1,
        DefaultV2 = DefaultV2,
        OmitsDefault = OmitsDefault,
        Constant = Constant,
        Conversion = Conversion,
        IsListInV1 = IsListInV1,
        IsListInV2 = IsListInV2,
        Separator = Separator,
        SplitsAtLast = SplitsAtLast,
        Type = Type,
    };
}
