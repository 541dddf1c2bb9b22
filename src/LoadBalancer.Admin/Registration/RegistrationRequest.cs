using System.Text.Json;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Admin.Registration;

/// <summary>The body of a registration: <c>{"address": "10.0.0.5:8080", "weight": 2, "lease": "30s"}</c>.</summary>
/// <param name="Destination">Address and settings, validated.</param>
/// <param name="Lease">How long it holds without being renewed.</param>
internal sealed record RegistrationRequest(DestinationConfig Destination, TimeSpan Lease)
{
    private static readonly TimeSpan LeaseDefault = TimeSpan.FromSeconds(30), LeaseMin = TimeSpan.FromSeconds(1), LeaseMax = TimeSpan.FromHours(1);

    // What a registration may say of a destination: a reader for each field.
    private static readonly Dictionary<string, Func<JsonElement, RegistrationRequest, RegistrationRequest?>> Fields = new(StringComparer.Ordinal)
    {
        ["address"] = (value, request) => value.ValueKind == JsonValueKind.String ? request.With(d => d with { Address = value.GetString()! }) : null,
        ["weight"] = (value, request) => Number(value, out int weight) ? request.With(d => d with { Weight = weight }) : null,
        ["tier"] = (value, request) => Number(value, out int tier) ? request.With(d => d with { Tier = tier }) : null,
        ["zone"] = (value, request) => value.ValueKind == JsonValueKind.String ? request.With(d => d with { Zone = value.GetString() }) : null,
        ["requestsMax"] = (value, request) => Number(value, out int max) ? request.With(d => d with { RequestsMax = max }) : null,
        ["lease"] = (value, request) => value.ValueKind == JsonValueKind.String && DurationText.TryParse(value.GetString()!, out TimeSpan lease) ? request with { Lease = lease } : null,
    };

    /// <summary>Reads a body; false, with all that is wrong, when it cannot be used.</summary>
    internal static bool TryRead(ReadOnlyMemory<byte> body, out RegistrationRequest? request, out string detail, out IReadOnlyList<FieldProblem> problems)
    {
        request = null;
        problems = [];
        detail = "";
        List<FieldProblem> found = [];
        try
        {
            using JsonDocument document = JsonDocument.Parse(body, new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 8 });
            if (document.RootElement.ValueKind == JsonValueKind.Object) request = Read(document.RootElement, found);
            else detail = "the body is no JSON object; expected {\"address\": \"host:port\"}";
        }
        catch (JsonException e)
        {
            detail = body.IsEmpty ? "there is no body; expected {\"address\": \"host:port\"}"
                : $"the body is no JSON, or has a name twice: line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}";
        }
        catch (InvalidOperationException)
        {
            detail = "the body has a name that is no Unicode text"; // a lone surrogate, which is JSON all the same
        }
        problems = found;
        if (found.Count > 0) detail = $"{found[0].Field}: {found[0].Detail}";
        return detail.Length == 0;
    }

    private static RegistrationRequest Read(JsonElement body, List<FieldProblem> problems)
    {
        var request = new RegistrationRequest(new DestinationConfig { Address = "" }, LeaseDefault);
        foreach (JsonProperty property in body.EnumerateObject())
        {
            string name = property.Name;
            if (!Fields.TryGetValue(name, out Func<JsonElement, RegistrationRequest, RegistrationRequest?>? reader))
                problems.Add(new FieldProblem(name, $"is unknown{Suggestion.Text(name, Fields.Keys)}"));
            else if (Read(reader, property.Value, request) is { } read) request = read;
            else problems.Add(new FieldProblem(name, $"expected {Expected(name)}"));
        }
        if (!body.TryGetProperty("address", out _)) problems.Add(new FieldProblem("address", $"is missing; expected {Expected("address")}"));
        foreach (ConfigProblem problem in ConfigValidator.Validate(request.Destination))
            if (!problems.Exists(known => known.Field == problem.Path)) problems.Add(new FieldProblem(problem.Path, problem.Message)); // one fault each
        if (request.Lease < LeaseMin || request.Lease > LeaseMax) problems.Add(new FieldProblem("lease", $"{DurationText.Format(request.Lease)} is out of range; expected 1s to 1h"));
        return request;
    }

    private static RegistrationRequest? Read(Func<JsonElement, RegistrationRequest, RegistrationRequest?> reader, JsonElement value, RegistrationRequest request)
    {
        try
        {
            return reader(value, request);
        }
        catch (InvalidOperationException) // a lone surrogate
        {
            return null;
        }
    }

    private static string Expected(string field) => field switch
    {
        "address" => "a string such as \"10.0.0.5:8080\"",
        "zone" => "a string such as \"eu-1a\"",
        "lease" => "a time from \"1s\" to \"1h\", such as \"30s\"",
        _ => "a whole number",
    };

    private static bool Number(JsonElement value, out int number)
    {
        number = 0;
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out number);
    }

    private RegistrationRequest With(Func<DestinationConfig, DestinationConfig> change) => this with { Destination = change(Destination) };
}
