using System.Text.Json;
using LoadBalancer.Admin.Routing;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Admin.Registration;

/// <summary>The body of a registration: <c>{"address": "10.0.0.5:8080", "weight": 2, "lease": "30s"}</c>.</summary>
/// <param name="Destination">Address and settings, validated.</param>
/// <param name="Lease">How long it holds without being renewed.</param>
internal sealed record RegistrationRequest(DestinationConfig Destination, TimeSpan Lease)
{
    private static readonly TimeSpan LeaseDefault = TimeSpan.FromSeconds(30), LeaseMin = TimeSpan.FromSeconds(1), LeaseMax = TimeSpan.FromHours(1);

    // What a registration may say of a destination: a reader for each field.
    private static readonly Dictionary<string, JsonBody.FieldReader<RegistrationRequest>> Fields = new(StringComparer.Ordinal)
    {
        ["address"] = (value, request) => value.ValueKind == JsonValueKind.String ? request.With(d => d with { Address = value.GetString()! }) : null,
        ["weight"] = (value, request) => Number(value, out int weight) ? request.With(d => d with { Weight = weight }) : null,
        ["tier"] = (value, request) => Number(value, out int tier) ? request.With(d => d with { Tier = tier }) : null,
        ["zone"] = (value, request) => value.ValueKind == JsonValueKind.String ? request.With(d => d with { Zone = value.GetString() }) : null,
        ["requestsMax"] = (value, request) => Number(value, out int max) ? request.With(d => d with { RequestsMax = max }) : null,
        ["lease"] = (value, request) => value.ValueKind == JsonValueKind.String && DurationText.TryParse(value.GetString()!, out TimeSpan lease) ? request with { Lease = lease } : null,
    };

    /// <summary>Reads a body; false, with all that is wrong, when it cannot be used.</summary>
    internal static bool TryRead(ReadOnlyMemory<byte> body, out RegistrationRequest? request, out string detail, out IReadOnlyList<FieldProblem> problems) =>
        JsonBody.TryRead(body, "{\"address\": \"host:port\"}", Read, out request, out detail, out problems);

    private static RegistrationRequest Read(JsonElement body, List<FieldProblem> problems)
    {
        RegistrationRequest request = JsonBody.ReadFields(body, new RegistrationRequest(new DestinationConfig { Address = "" }, LeaseDefault), Fields, Expected, problems);
        if (!body.TryGetProperty("address", out _)) problems.Add(new FieldProblem("address", $"is missing; expected {Expected("address")}"));
        foreach (ConfigProblem problem in ConfigValidator.Validate(request.Destination))
            if (!problems.Exists(known => known.Field == problem.Path)) problems.Add(new FieldProblem(problem.Path, problem.Message)); // one fault each
        if (request.Lease < LeaseMin || request.Lease > LeaseMax) problems.Add(new FieldProblem("lease", $"{DurationText.Format(request.Lease)} is out of range; expected 1s to 1h"));
        return request;
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
