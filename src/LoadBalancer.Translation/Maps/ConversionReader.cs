using System.Text.Json;
using LoadBalancer.Translation.Conversions;

namespace LoadBalancer.Translation.Maps;

/// <summary>Reads what a rule says of conversions: how each version writes a value, a factor, or named values.</summary>
internal static class ConversionReader
{
    private static readonly string[] Forms = ["string", "number", "boolean", "unix-seconds", "unix-milliseconds", "rfc3339", "date", "single", "list"];
    private const string Example = "{ \"v1\": \"unix-seconds\", \"v2\": \"rfc3339\" }, { \"factor\": 0.01 } or { \"enum\": { \"on\": \"ACTIVE\" } }";

    /// <summary>Reads a conversion; null where it is one of lists, or cannot be read, which has been told of.</summary>
    internal static Conversion? Read(MapNode node, bool isLossy, out bool isListInV1, out bool isListInV2)
    {
        isListInV1 = isListInV2 = false;
        if (!node.IsObject)
        {
            node.Expected(Example);
            return null;
        }
        node.Only("v1", "v2", "factor", "places", "enum", "otherwise", "winner");
        if (node.Find("enum") is { } values) return Enum(node, values, isLossy);
        foreach (string name in (ReadOnlySpan<string>)["otherwise", "winner"]) node.Find(name)?.Wrong("has no effect without \"enum\"");
        string? v1 = Form(node, "v1"), v2 = Form(node, "v2");
        if (node.Find("factor") is { } factor) return Factor(node, factor, v1 ?? "number", v2 ?? "number", isLossy);
        node.Find("places")?.Wrong("has no effect without \"factor\"");
        if (v1 is null || v2 is null)
        {
            if (node.Find("v1") is null || node.Find("v2") is null) node.Wrong($"does not say what the value is in both versions; expected {Example}");
            return null;
        }
        (isListInV1, isListInV2) = ((v1, v2) == ("list", "single"), (v1, v2) == ("single", "list"));
        if (isListInV1 || isListInV2) return null;
        if (Time(v1) is { } from && Time(v2) is { } to && from != to) return new TimeConversion(from, to, isLossy);
        Conversion? conversion = (v1, v2) switch
        {
            ("number", "string") => new NumberConversion(false, true, null, -1, -1, isLossy),
            ("string", "number") => new NumberConversion(true, false, null, -1, -1, isLossy),
            ("boolean", "string") => new BooleanConversion(true, false),
            ("string", "boolean") => new BooleanConversion(false, false),
            ("boolean", "number") => new BooleanConversion(true, true),
            ("number", "boolean") => new BooleanConversion(false, true),
            _ => null,
        };
        if (conversion is null) node.Wrong(v1 == v2 ? $"says \"{v1}\" for both versions, so nothing is converted; leave \"convert\" out" : $"\"{v1}\" and \"{v2}\" cannot be converted into one another; for other values give an \"enum\"");
        return conversion;
    }

    private static string? Form(MapNode node, string name)
    {
        if (node.Find(name) is not { } form) return null;
        if (form.IsText && Forms.Contains(form.Text)) return form.Text;
        form.Expected($"one of {string.Join(", ", Forms.Select(f => $"\"{f}\""))}");
        return null;
    }

    private static TimeForm? Time(string form) => form switch
    {
        "unix-seconds" => TimeForm.UnixSeconds,
        "unix-milliseconds" => TimeForm.UnixMilliseconds,
        "rfc3339" => TimeForm.Rfc3339,
        "date" => TimeForm.Date,
        _ => null,
    };

    private static NumberConversion? Factor(MapNode node, MapNode factor, string v1, string v2, bool isLossy)
    {
        if (factor.Kind != JsonValueKind.Number || !ExactDecimal.TryParse(System.Text.Encoding.ASCII.GetBytes(factor.Value.GetRawText()), out ExactDecimal value) || value.Mantissa == 0)
        {
            factor.Expected("a number other than 0, of up to 36 digits: v2 = v1 × factor");
            return null;
        }
        foreach (string form in (ReadOnlySpan<string>)[v1, v2])
        {
            if (form is "number" or "string") continue;
            node.Wrong($"has a \"factor\" for \"{form}\"; expected \"number\", or \"string\" for a text with a number in it");
            return null;
        }
        int places1 = -1, places2 = -1;
        if (node.Find("places") is { } places)
        {
            if (!places.IsObject) places.Expected("an object such as { \"v2\": 2 }: digits after the point");
            places.Only("v1", "v2");
            places1 = Places(places, "v1");
            places2 = Places(places, "v2");
        }
        else if (isLossy) node.Wrong("is \"lossy\", but no \"places\" say to how many digits after the point numbers are rounded; expected them, such as { \"v1\": 0, \"v2\": 2 }");
        return new NumberConversion(v1 == "string", v2 == "string", value, places1, places2, isLossy);
    }

    private static int Places(MapNode places, string name)
    {
        if (places.Find(name) is not { } node) return -1;
        if (node.Kind == JsonValueKind.Number && node.Value.TryGetInt32(out int value) && value is >= 0 and <= 18) return value;
        node.Expected("a whole number from 0 to 18");
        return -1;
    }

    private static EnumConversion? Enum(MapNode node, MapNode values, bool isLossy)
    {
        foreach (string name in (ReadOnlySpan<string>)["v1", "v2", "factor", "places"]) node.Find(name)?.Wrong("has no effect beside \"enum\"");
        bool firstWins = node.Find("winner") is not null;
        if (firstWins && node.Find("winner") is { } winner && (!winner.IsText || winner.Text != "first")) winner.Expected("\"first\": of pairs with the same value, the first is the one on the way back");
        var pairs = new List<(JsonElement V1, JsonElement V2)>();
        foreach (MapNode item in values.Items())
        {
            if (item.IsArray && item.Value.GetArrayLength() == 2 && item.Items().All(i => !i.IsArray && !i.IsObject)) pairs.Add((item.Value[0], item.Value[1]));
            else item.Expected("a pair of values, v1 and v2, such as [true, \"yes\"]");
        }
        foreach ((string name, MapNode item) in values.Members())
        {
            if (item.IsArray || item.IsObject) item.Expected("a text, a number, a boolean or null");
            else pairs.Add((Text(name), item.Value));
        }
        if (pairs.Count == 0)
        {
            values.Expected("values of v1 and v2, such as { \"on\": \"ACTIVE\" } or [[true, \"yes\"], [false, \"no\"]]");
            return null;
        }
        Unique(values, pairs.Select(p => p.V1), "v1", "v2", firstWins);
        Unique(values, pairs.Select(p => p.V2), "v2", "v1", firstWins);
        JsonElement? other1 = null, other2 = null;
        if (node.Find("otherwise") is { } otherwise)
        {
            if (!otherwise.IsObject) otherwise.Expected("an object such as { \"v1\": \"unknown\" }: what a version gets for values that are not named");
            otherwise.Only("v1", "v2");
            other1 = otherwise.Find("v1")?.Value;
            other2 = otherwise.Find("v2")?.Value;
            if (!isLossy) otherwise.Wrong("makes different values one, so they do not come back; if that is meant, add \"lossy\": true to the rule");
        }
        return new EnumConversion(pairs, other1, other2);
    }

    private static JsonElement Text(string value)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream)) writer.WriteStringValue(value);
        using JsonDocument document = JsonDocument.Parse(stream.ToArray());
        return document.RootElement.Clone();
    }

    private static void Unique(MapNode node, IEnumerable<JsonElement> values, string side, string other, bool firstWins)
    {
        if (firstWins) return;
        foreach (var group in values.GroupBy(v => v.ValueKind == JsonValueKind.String ? $"\"{v.GetString()}\"" : v.GetRawText()).Where(g => g.Count() > 1))
            node.Wrong($"{group.Key} of {side} stands for {group.Count()} values of {other}, so nobody knows which it is on the way there; expected one, or \"winner\": \"first\" beside \"enum\"");
    }
}
