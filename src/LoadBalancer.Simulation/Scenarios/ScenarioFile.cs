using System.Text.Json;
using System.Text.Json.Serialization;

namespace LoadBalancer.Simulation.Scenarios;

/// <summary>Reads scenario.json: <see cref="Scenario"/> with its keys in camelCase. Comments and trailing commas are allowed, unknown keys are not.</summary>
public static class ScenarioFile
{
    /// <summary>Reads and checks a scenario.</summary>
    /// <param name="utf8">The JSON text.</param>
    /// <param name="faults">Everything found wrong, one line each.</param>
    /// <returns>Null when something is wrong.</returns>
    public static Scenario? Parse(ReadOnlySpan<byte> utf8, out IReadOnlyList<string> faults)
    {
        if (utf8.StartsWith("\uFEFF"u8)) utf8 = utf8[3..];
        Scenario? scenario;
        try
        {
            scenario = JsonSerializer.Deserialize(utf8, ScenarioJson.Default.Scenario);
        }
        catch (JsonException e)
        {
            faults = [Describe(e)];
            return null;
        }
        faults = scenario is null ? ["expected an object, not null"] : Nulls(scenario) is { } missing ? [missing] : ScenarioValidator.Validate(scenario);
        return faults.Count == 0 ? scenario : null;
    }

    /// <summary>The scenario as a file would hold it.</summary>
    public static string Write(Scenario scenario) => JsonSerializer.Serialize(scenario, ScenarioJson.Default.Scenario);

    // The serializer accepts null wherever a reference stands.
    private static string? Nulls(Scenario scenario) =>
        scenario.Arrivals is null || scenario.Arrivals.Burst is null || scenario.Arrivals.Profile is null || scenario.Arrivals.Profile.Contains(null!)
            ? "arrivals: null is no value for it or one of its keys"
        : scenario.Service is null || scenario.Service.Values is null ? "service: null is no value for it or one of its keys"
        : scenario.Classes is null || scenario.Classes.Exists(kind => kind?.Service?.Values is null)
            ? "classes: null is no value for it, a class, or one of its keys"
        : scenario.NetworkDelay is { Values: null } ? "networkDelay.values: null is no value for it"
        : scenario.Servers is null || scenario.Servers.Exists(server => server?.SpeedChanges is null || server.SpeedChanges.Contains(null!))
            ? "servers: null is no value for it, a server, or its \"speedChanges\""
        : null;

    private static string Describe(JsonException e)
    {
        string place = e.LineNumber is { } line ? $"line {line + 1}: " : "";
        string path = e.Path is { Length: > 2 } found ? found[2..] : "";
        string message = e.Message;
        if (message.Contains("could not be mapped", StringComparison.Ordinal)) return $"{place}{path}: unknown key";
        // The serializer names .NET types and repeats the place.
        int end = message.IndexOf(" Path: ", StringComparison.Ordinal);
        if (end > 0) message = message[..end];
        if (message.Contains("could not be converted", StringComparison.Ordinal)) message = "the value is of a wrong kind, or no name that is known here";
        return path.Length > 0 ? $"{place}{path}: {message}" : place + message;
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    ReadCommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, UseStringEnumConverter = true, WriteIndented = true,
    RespectNullableAnnotations = true, AllowDuplicateProperties = false, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Scenario))]
internal sealed partial class ScenarioJson : JsonSerializerContext;
