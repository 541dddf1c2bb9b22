using System.Text.Json;

namespace LoadBalancer.Translation.Conversions;

/// <summary>true and false, and what stands for them on the other side: "true" and "false", or 1 and 0.</summary>
internal sealed class BooleanConversion(bool isBooleanInV1, bool isNumber) : Conversion
{
    internal override string Describe(bool isForward) => isForward == isBooleanInV1 ? "boolean" : isNumber ? "1 or 0" : "\"true\" or \"false\"";

    internal override bool TryConvert(bool isForward, Scalar value, Span<byte> space, out Scalar result)
    {
        result = default;
        if (isForward == isBooleanInV1)
        {
            if (value.Kind is not (JsonTokenType.True or JsonTokenType.False)) return false;
            bool isTrue = value.Kind == JsonTokenType.True;
            result = isNumber ? new Scalar(JsonTokenType.Number, isTrue ? "1"u8 : "0"u8) : new Scalar(JsonTokenType.String, isTrue ? "true"u8 : "false"u8);
            return true;
        }
        if (value.Kind != (isNumber ? JsonTokenType.Number : JsonTokenType.String)) return false;
        if (value.Text.SequenceEqual(isNumber ? "1"u8 : "true"u8)) result = new Scalar(JsonTokenType.True, "true"u8);
        else if (value.Text.SequenceEqual(isNumber ? "0"u8 : "false"u8)) result = new Scalar(JsonTokenType.False, "false"u8);
        return result.Kind != JsonTokenType.None;
    }

    internal override string Sample(Random random)
    {
        bool isTrue = random.Next(2) == 0;
        return isBooleanInV1 ? isTrue ? "true" : "false" : isNumber ? isTrue ? "1" : "0" : isTrue ? "\"true\"" : "\"false\"";
    }
}
