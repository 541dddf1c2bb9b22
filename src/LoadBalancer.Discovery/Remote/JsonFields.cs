using System.Globalization;
using System.Text.Json;

namespace LoadBalancer.Discovery.Remote;

/// <summary>Reads what others' JSON may have. What is missing or of another kind is null.</summary>
internal static class JsonFields
{
    /// <summary>The member of that name; null where there is none, or no object.</summary>
    internal static JsonElement? Member(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    internal static string? Text(this JsonElement element, string name) => element.Member(name) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;

    internal static bool? Flag(this JsonElement element, string name) => element.Member(name) is { ValueKind: JsonValueKind.True or JsonValueKind.False } flag ? flag.GetBoolean() : null;

    /// <summary>A whole number, plain or as text, as gRPC's JSON has those of 64 bits.</summary>
    internal static long? Number(this JsonElement element, string name) => element.Member(name) switch
    {
        { ValueKind: JsonValueKind.Number } number when number.TryGetInt64(out long value) => value,
        { ValueKind: JsonValueKind.String } text when long.TryParse(text.GetString(), NumberStyles.None, CultureInfo.InvariantCulture, out long value) => value,
        _ => null,
    };

    internal static byte[]? Bytes(this JsonElement element, string name) => element.Member(name) is { ValueKind: JsonValueKind.String } text && text.TryGetBytesFromBase64(out byte[]? bytes) ? bytes : null;

    /// <summary>The items of a list; none where there is no list.</summary>
    internal static IEnumerable<JsonElement> Items(this JsonElement element, string name) => element.Member(name) is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray() : [];

    /// <summary>Reads a text.</summary>
    /// <exception cref="ApiException">It is no JSON.</exception>
    internal static JsonDocument Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            return JsonDocument.Parse(json);
        }
        catch (JsonException)
        {
            throw new ApiException("answered with what is no JSON; is it something else that listens there?");
        }
    }

    /// <summary>What the body of an error says of itself; null when nothing.</summary>
    internal static string? MessageOf(byte[] body)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(body);
            return document.RootElement.Text("message") ?? document.RootElement.Text("error");
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
