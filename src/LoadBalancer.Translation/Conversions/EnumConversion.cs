using System.Text;
using System.Text.Json;

namespace LoadBalancer.Translation.Conversions;

/// <summary>Named values: each of v1 is one of v2. Of several that are the same on one side, the first is the one on the way back.</summary>
internal sealed class EnumConversion : Conversion
{
    private readonly Entry[] _v1, _v2;
    private readonly int _other1, _other2;

    /// <param name="pairs">JSON scalars of v1 and v2. The first pair of a value counts.</param>
    /// <param name="otherV1">What v1 gets for values of v2 that no pair has; null: they cannot be converted.</param>
    /// <param name="otherV2">What v2 gets for values of v1 that no pair has.</param>
    internal EnumConversion(IReadOnlyList<(JsonElement V1, JsonElement V2)> pairs, JsonElement? otherV1, JsonElement? otherV2)
    {
        _v1 = [.. pairs.Select(p => new Entry(p.V1)), .. otherV1 is { } one ? [new Entry(one)] : Array.Empty<Entry>()];
        _v2 = [.. pairs.Select(p => new Entry(p.V2)), .. otherV2 is { } two ? [new Entry(two)] : Array.Empty<Entry>()];
        Count = pairs.Count;
        _other1 = otherV1 is null ? -1 : pairs.Count;
        _other2 = otherV2 is null ? -1 : pairs.Count;
    }

    private int Count { get; }

    internal override bool TakesNull => Find(_v1, JsonTokenType.Null, "null"u8) >= 0 || Find(_v2, JsonTokenType.Null, "null"u8) >= 0;

    internal override string Describe(bool isForward) => "named value";

    internal override bool TryConvert(bool isForward, Scalar value, Span<byte> space, out Scalar result)
    {
        Entry[] from = isForward ? _v1 : _v2, to = isForward ? _v2 : _v1;
        int at = Find(from, value.Kind, value.Text);
        if (at < 0) at = isForward ? _other2 : _other1;
        if (at < 0)
        {
            result = default;
            return false;
        }
        result = new Scalar(to[at].Kind, to[at].Text);
        return true;
    }

    // Tens of values at most: the length and the first bytes tell most of them apart.
    private int Find(Entry[] entries, JsonTokenType kind, ReadOnlySpan<byte> text)
    {
        for (int i = 0; i < Count; i++)
        {
            if (entries[i].Kind == kind && text.SequenceEqual(entries[i].Text)) return i;
        }
        return -1;
    }

    internal override string Sample(Random random) => _v1[random.Next(Count)].Json;

    private sealed class Entry
    {
        internal Entry(JsonElement element)
        {
            Json = element.GetRawText();
            Kind = element.ValueKind switch
            {
                JsonValueKind.String => JsonTokenType.String,
                JsonValueKind.Number => JsonTokenType.Number,
                JsonValueKind.True => JsonTokenType.True,
                JsonValueKind.False => JsonTokenType.False,
                _ => JsonTokenType.Null,
            };
            Text = Encoding.UTF8.GetBytes(element.ValueKind == JsonValueKind.String ? element.GetString()! : Json);
        }

        internal JsonTokenType Kind { get; }

        internal byte[] Text { get; }

        internal string Json { get; }
    }
}
