using System.Globalization;
using System.Text;
using System.Text.Json;
using LoadBalancer.Translation.Conversions;

namespace LoadBalancer.Translation.RoundTrips;

/// <summary>Differences between two documents. Members have no order; numbers are the same when their values are, however they are written.</summary>
internal static class JsonComparison
{
    private const int DifferencesMax = 50;

    internal static List<(List<string> Steps, string? Before, string? After)> Compare(JsonElement before, JsonElement after)
    {
        var differences = new List<(List<string>, string?, string?)>();
        Compare(before, after, [], differences);
        return differences;
    }

    internal static string Pointer(List<string> steps)
    {
        var text = new StringBuilder();
        foreach (string step in steps) text.Append('/').Append(step.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal));
        return text.ToString();
    }

    private static void Compare(JsonElement before, JsonElement after, List<string> path, List<(List<string>, string?, string?)> differences)
    {
        if (differences.Count >= DifferencesMax) return;
        if (before.ValueKind == JsonValueKind.Object && after.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty property in before.EnumerateObject())
            {
                if (after.TryGetProperty(property.Name, out JsonElement other)) Compare(property.Value, other, [.. path, property.Name], differences);
                else differences.Add(([.. path, property.Name], property.Value.GetRawText(), null));
            }
            foreach (JsonProperty property in after.EnumerateObject())
                if (!before.TryGetProperty(property.Name, out _)) differences.Add(([.. path, property.Name], null, property.Value.GetRawText()));
        }
        else if (before.ValueKind == JsonValueKind.Array && after.ValueKind == JsonValueKind.Array && before.GetArrayLength() == after.GetArrayLength())
        {
            for (int i = 0; i < before.GetArrayLength(); i++) Compare(before[i], after[i], [.. path, i.ToString(CultureInfo.InvariantCulture)], differences);
        }
        else if (!Same(before, after)) differences.Add(([.. path], before.GetRawText(), after.GetRawText()));
    }

    private static bool Same(JsonElement a, JsonElement b)
    {
        if (a.ValueKind != b.ValueKind || a.ValueKind is JsonValueKind.Array or JsonValueKind.Object) return false;
        if (a.ValueKind == JsonValueKind.String) return a.GetString() == b.GetString();
        if (a.GetRawText() == b.GetRawText()) return true;
        return ExactDecimal.TryParse(Encoding.ASCII.GetBytes(a.GetRawText()), out ExactDecimal one) && ExactDecimal.TryParse(Encoding.ASCII.GetBytes(b.GetRawText()), out ExactDecimal two) && one == two;
    }
}
