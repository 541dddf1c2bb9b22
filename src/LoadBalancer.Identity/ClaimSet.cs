using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace LoadBalancer.Identity;

/// <summary>
/// Reads a JSON object of claims, strictly: valid UTF-8, no name twice in an object (RFC 8725 §2.4: readers that disagree are an attack), bounded in depth and number.
/// </summary>
internal sealed class ClaimSet
{
    internal const int DepthMax = 16, ClaimsMax = 512;

    private readonly Dictionary<string, Claim> _byName = new(StringComparer.Ordinal);
    private readonly List<Claim> _nested = [];
    private readonly HashSet<(int Object, string Name)> _seen = [];
    private readonly ReadOnlyMemory<byte> _json;
    private int _objects;

    private ClaimSet(ReadOnlyMemory<byte> json) => _json = json;

    internal static bool TryRead(ReadOnlyMemory<byte> json, [NotNullWhen(true)] out Dictionary<string, Claim>? claims)
    {
        claims = null;
        if (!Utf8.IsValid(json.Span)) return false;
        var set = new ClaimSet(json);
        try
        {
            var reader = new Utf8JsonReader(json.Span, new JsonReaderOptions { MaxDepth = DepthMax });
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject || !set.TryReadObject(ref reader, "") || reader.Read()) return false;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // the latter: an escape that is half of a surrogate pair
        {
            return false;
        }
        // A claim that has a dot in its own name goes before what lies in an object.
        foreach (Claim nested in set._nested) set._byName.TryAdd(nested.Name, nested);
        claims = set._byName;
        return true;
    }

    private bool TryReadObject(ref Utf8JsonReader reader, string? prefix)
    {
        int id = _objects++;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = reader.GetString()!;
            if (_seen.Count >= ClaimsMax || !_seen.Add((id, name)) || !reader.Read()) return false;
            if (!TryReadValue(ref reader, prefix is null ? null : prefix + name, isTop: prefix is "")) return false;
        }
        return true;
    }

    // Without a name it is only checked: it lies in a list.
    private bool TryReadValue(ref Utf8JsonReader reader, string? name, bool isTop)
    {
        int start = (int)reader.TokenStartIndex;
        ClaimKind kind = KindOf(reader.TokenType);
        string? text = kind == ClaimKind.Text ? reader.GetString() : null;
        IReadOnlyList<string> values = [];
        bool isTexts = kind == ClaimKind.Text;
        if (kind == ClaimKind.Object)
        {
            if (!TryReadObject(ref reader, name is null ? null : name + ".")) return false;
        }
        else if (kind == ClaimKind.List)
        {
            if (!TryReadList(ref reader, out List<string> items, out isTexts)) return false;
            values = items;
        }
        if (name is null) return true;
        ReadOnlyMemory<byte> json = _json[start..(int)reader.BytesConsumed];
        text ??= Encoding.UTF8.GetString(json.Span);
        if (kind is ClaimKind.Text or ClaimKind.Number or ClaimKind.Flag) values = [text];
        var claim = new Claim(name, kind, json, text, values, isTexts);
        if (isTop) _byName.Add(name, claim);
        else _nested.Add(claim);
        return true;
    }

    private bool TryReadList(ref Utf8JsonReader reader, out List<string> items, out bool isTexts)
    {
        items = [];
        isTexts = true;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            isTexts &= reader.TokenType == JsonTokenType.String;
            switch (KindOf(reader.TokenType))
            {
                case ClaimKind.Text: items.Add(reader.GetString()!); break;
                case ClaimKind.Number or ClaimKind.Flag: items.Add(Encoding.UTF8.GetString(reader.ValueSpan)); break;
                default: if (!TryReadValue(ref reader, null, false)) return false; break;
            }
        }
        return true;
    }

    private static ClaimKind KindOf(JsonTokenType type) => type switch
    {
        JsonTokenType.String => ClaimKind.Text,
        JsonTokenType.Number => ClaimKind.Number,
        JsonTokenType.True or JsonTokenType.False => ClaimKind.Flag,
        JsonTokenType.StartArray => ClaimKind.List,
        JsonTokenType.StartObject => ClaimKind.Object,
        _ => ClaimKind.Null,
    };
}
