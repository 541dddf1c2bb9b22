using System.Text.Json;
using LoadBalancer.Translation.Conversions;
using LoadBalancer.Translation.Maps;

namespace LoadBalancer.Translation.Plans;

/// <summary>A rule of a map in one direction. Immutable.</summary>
internal sealed class PlanRule
{
    internal required FieldRule Rule { get; init; }

    internal required PlanRuleKind Kind { get; init; }

    /// <summary>From v1 to v2.</summary>
    internal required bool IsForward { get; init; }

    /// <summary>Where values go, one for each part.</summary>
    internal TargetNode[] Targets { get; set; } = [];

    /// <summary>Number of the first part within its scope, for joins.</summary>
    internal int FirstPart { get; set; }

    /// <summary>JSON that is written where there is no value; for constants always.</summary>
    internal byte[]? Default { get; init; }

    /// <summary>A value that is left out, because the other version takes it for granted.</summary>
    internal OmittedScalar? Omitted { get; init; }

    internal Conversion? Conversion => Rule.Conversion;

    internal int PartCount => Kind == PlanRuleKind.Join ? (IsForward ? Rule.V1 : Rule.V2).Length : Targets.Length;
}

/// <summary>What a rule does in its direction.</summary>
internal enum PlanRuleKind : byte
{
    /// <summary>The value goes to its target, perhaps converted.</summary>
    Move,
    /// <summary>The value is left out.</summary>
    Remove,
    /// <summary>The target gets a value that the source does not have.</summary>
    Constant,
    /// <summary>A text becomes several.</summary>
    Split,
    /// <summary>Several texts become one.</summary>
    Join,
    /// <summary>A value becomes a list of one.</summary>
    Wrap,
    /// <summary>A list of one becomes its value; an empty one is no value.</summary>
    Unwrap,
}

/// <summary>A scalar that is compared with values of documents.</summary>
internal sealed class OmittedScalar
{
    private readonly JsonTokenType _kind;
    private readonly byte[] _text;
    private readonly ExactDecimal? _number;

    internal OmittedScalar(byte[] json)
    {
        var reader = new Utf8JsonReader(json);
        reader.Read();
        _kind = reader.TokenType;
        _text = _kind == JsonTokenType.String ? System.Text.Encoding.UTF8.GetBytes(reader.GetString()!) : json;
        if (_kind == JsonTokenType.Number && ExactDecimal.TryParse(json, out ExactDecimal number)) _number = number;
    }

    internal bool Equals(Scalar value)
    {
        if (value.Kind != _kind) return false;
        if (value.Text.SequenceEqual(_text)) return true;
        return _number is { } number && ExactDecimal.TryParse(value.Text, out ExactDecimal other) && other == number;
    }
}
