using System.Text.Json;

namespace LoadBalancer.Translation.Conversions;

/// <summary>Numbers and strings that hold a number, on either side, and a factor between them: v2 = v1 × factor. Without a factor the digits stay as they are.</summary>
internal sealed class NumberConversion(bool isTextInV1, bool isTextInV2, ExactDecimal? factor, int placesV1, int placesV2, bool isLossy) : Conversion
{
    internal override string Describe(bool isForward) => $"{((isForward ? isTextInV1 : isTextInV2) ? "string with a number" : "number")}{(factor is null ? "" : " with a factor")}";

    internal override bool TryConvert(bool isForward, Scalar value, Span<byte> space, out Scalar result)
    {
        result = default;
        bool fromText = isForward ? isTextInV1 : isTextInV2, toText = isForward ? isTextInV2 : isTextInV1;
        if (value.Kind != (fromText ? JsonTokenType.String : JsonTokenType.Number)) return false;
        JsonTokenType kind = toText ? JsonTokenType.String : JsonTokenType.Number;
        if (factor is null)
        {
            // Byte for byte: 1.50 and 1e3 stay what they are.
            if (!fromText || IsNumber(value.Text)) result = new Scalar(kind, value.Text);
            return result.Kind == kind;
        }
        if (!ExactDecimal.TryParse(value.Text, out ExactDecimal number)) return false;
        int places = isForward ? placesV2 : placesV1;
        ExactDecimal product;
        bool isExact = isForward ? ExactDecimal.TryMultiply(number, factor.Value, out product) : ExactDecimal.TryDivide(number, factor.Value, out product);
        if (isLossy && places >= 0 && (!isExact || product.Places > places))
        {
            isExact = isExact ? product.TryRound(places, out product) : !isForward && ExactDecimal.TryDivideRounded(number, factor.Value, places, out product);
        }
        if (!isExact || (places >= 0 && product.Places > places) || !product.TryFormat(space, Math.Max(places, 0), out int length)) return false;
        result = new Scalar(kind, space[..length]);
        return true;
    }

    // The grammar of RFC 8259 §6, whatever the number of digits.
    internal static bool IsNumber(ReadOnlySpan<byte> text)
    {
        int at = 0;
        if (at < text.Length && text[at] == '-') at++;
        int start = at;
        while (at < text.Length && char.IsAsciiDigit((char)text[at])) at++;
        if (at == start || (text[start] == '0' && at > start + 1)) return false;
        if (at < text.Length && text[at] == '.')
        {
            start = ++at;
            while (at < text.Length && char.IsAsciiDigit((char)text[at])) at++;
            if (at == start) return false;
        }
        if (at < text.Length && (text[at] | 0x20) == 'e')
        {
            at++;
            if (at < text.Length && text[at] is (byte)'-' or (byte)'+') at++;
            start = at;
            while (at < text.Length && char.IsAsciiDigit((char)text[at])) at++;
            if (at == start) return false;
        }
        return at == text.Length;
    }

    internal override string Sample(Random random)
    {
        Span<byte> text = stackalloc byte[TextMax];
        int length;
        // A value of v2 that is whole comes back from any factor that may be written.
        var sample = new ExactDecimal(random.Next(1, 100_000), 0);
        if (factor is { } f && placesV2 >= 0 && !isLossy && ExactDecimal.TryDivide(sample, f, out ExactDecimal back)) sample = back;
        sample.TryFormat(text, Math.Max(placesV1, 0), out length);
        string digits = System.Text.Encoding.ASCII.GetString(text[..length]);
        return isTextInV1 ? $"\"{digits}\"" : digits;
    }
}
