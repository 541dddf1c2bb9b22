using System.Text.Json;
using LoadBalancer.Core.Policies;

namespace LoadBalancer.Gateway.Authorization.Rules;

/// <summary>Finds claims by name, or by member names with dots between them.</summary>
internal static class ClaimReader
{
    private const int ValuesMax = 1000;

    /// <summary>The values: of a list its entries, of what is no string its JSON text. Empty where there is none, or an object. A claim whose own name has dots goes first.</summary>
    internal static IReadOnlyList<string> Read(IClientIdentity identity, string name)
    {
        IReadOnlyList<string> values = identity.GetClaims(name);
        if (values.Count > 0 || !name.Contains('.', StringComparison.Ordinal)) return values;
        try
        {
            using JsonDocument document = JsonDocument.Parse(identity.Json);
            JsonElement element = document.RootElement;
            foreach (string member in name.Split('.'))
            {
                if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(member, out element)) return [];
            }
            return element.ValueKind == JsonValueKind.Array ? [.. element.EnumerateArray().Take(ValuesMax).Select(Text).OfType<string>()] : Text(element) is { } text ? [text] : [];
        }
        catch (JsonException)
        {
            return []; // an identity that has no JSON
        }
    }

    private static string? Text(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => element.GetString(),
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => element.GetRawText(),
        _ => null,
    };
}
