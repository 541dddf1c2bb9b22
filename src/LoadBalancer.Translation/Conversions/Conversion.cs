using System.Text.Json;

namespace LoadBalancer.Translation.Conversions;

/// <summary>
/// Turns scalars of v1 into those of v2 and back, exactly or not at all: what would lose something is not converted unless the rule is declared lossy. Immutable, any thread, never
/// allocates.
/// </summary>
internal abstract class Conversion
{
    /// <summary>Longest text that a conversion writes itself.</summary>
    internal const int TextMax = 64;

    /// <summary>What it does, as messages say it: "number to string".</summary>
    internal abstract string Describe(bool isForward);

    /// <summary>
    /// Converts a value: its text is without quotes and escapes. False: it cannot be converted. Null goes where a conversion does not say otherwise as it is; whoever calls sees to it.
    /// </summary>
    /// <param name="isForward">From v1 to v2.</param>
    /// <param name="value">The value.</param>
    /// <param name="space">At least <see cref="TextMax"/> bytes for the text of the result.</param>
    /// <param name="result">Lies in <paramref name="space"/>, in the conversion or in the value itself.</param>
    internal abstract bool TryConvert(bool isForward, Scalar value, Span<byte> space, out Scalar result);

    /// <summary>The conversion says itself what becomes of null.</summary>
    internal virtual bool TakesNull => false;

    /// <summary>JSON of a value that v1 may have, for samples.</summary>
    internal abstract string Sample(Random random);
}

/// <summary>A scalar: what it is, and its text without quotes and escapes.</summary>
internal readonly ref struct Scalar
{
    internal Scalar(JsonTokenType kind, ReadOnlySpan<byte> text)
    {
        Kind = kind;
        Text = text;
    }

    internal JsonTokenType Kind { get; }

    internal ReadOnlySpan<byte> Text { get; }

    internal bool IsNumber => Kind == JsonTokenType.Number;

    internal bool IsString => Kind == JsonTokenType.String;
}
