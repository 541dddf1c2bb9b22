using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace LoadBalancer.Edge.Rehearsal;

/// <summary>What a test expects of a request. What is null or empty is not looked at.</summary>
internal sealed record Expectation
{
    internal int? Status { get; init; }

    /// <summary>Values by name; null: the field must not be there; "*": any value.</summary>
    internal IReadOnlyList<KeyValuePair<string, string?>> Headers { get; init; } = [];

    /// <summary>A string is compared with the text, anything else with the JSON value, in which order of members does not count.</summary>
    internal JsonNode? Body { get; init; }

    internal string? BodyContains { get; init; }

    internal string? Route { get; init; }

    internal string? Cluster { get; init; }

    /// <summary>By policy: "pass", "unseen", or the status that it answers.</summary>
    internal IReadOnlyList<KeyValuePair<string, string>> Policies { get; init; } = [];

    internal string? Reason { get; init; }

    /// <summary>What the log's detail contains.</summary>
    internal string? Detail { get; init; }

    internal UpstreamExpectation? Upstream { get; init; }

    /// <summary>Everything that is otherwise, each a line.</summary>
    internal List<string> Compare(RehearsedExchange exchange)
    {
        var differences = new List<string>();
        if (Status is { } status && status != exchange.Status) differences.Add($"status: expected {status}, got {exchange.Status} ({exchange.Record.Reason}{(exchange.Record.Detail is { } detail ? $": {detail}" : "")})");
        Text(differences, "route", Route, exchange.Record.Route);
        Text(differences, "cluster", Cluster, exchange.Record.Cluster);
        Text(differences, "reason", Reason, exchange.Record.Reason.ToString());
        if (Detail is not null && exchange.Record.Detail?.Contains(Detail, StringComparison.Ordinal) != true) differences.Add($"detail: expected \"{Detail}\" in it, got {Shown(exchange.Record.Detail)}");
        foreach ((string policy, string expected) in Policies)
        {
            string got = exchange.Record.Verdicts.FirstOrDefault(verdict => verdict.Policy == policy) is { } verdict ? verdict.IsPassed ? "pass" : verdict.Status.ToString(CultureInfo.InvariantCulture) : "unseen";
            if (got != expected) differences.Add($"policy \"{policy}\": expected {expected}, got {got}");
        }
        Fields(differences, "header", Headers, exchange.Headers);
        Content(differences, "body", Body, exchange.Body);
        if (BodyContains is not null && !Encoding.UTF8.GetString(exchange.Body).Contains(BodyContains, StringComparison.Ordinal)) differences.Add($"body: expected \"{BodyContains}\" in it, got {Shown(Encoding.UTF8.GetString(exchange.Body))}");
        Upstream?.Compare(differences, exchange.Forwarded);
        return differences;
    }

    internal static void Text(List<string> differences, string what, string? expected, string? got)
    {
        if (expected is not null && expected != got) differences.Add($"{what}: expected {Shown(expected)}, got {Shown(got)}");
    }

    internal static void Fields(List<string> differences, string what, IReadOnlyList<KeyValuePair<string, string?>> expected, IReadOnlyList<KeyValuePair<string, string>> got)
    {
        foreach ((string name, string? value) in expected)
        {
            string[] lines = [.. got.Where(field => field.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(field => field.Value)];
            string? all = lines.Length == 0 ? null : string.Join(", ", lines);
            if (value == "*" ? all is null : value != all) differences.Add($"{what} {name}: expected {(value is null ? "none" : value == "*" ? "any" : Shown(value))}, got {(all is null ? "none" : Shown(all))}");
        }
    }

    internal static void Content(List<string> differences, string what, JsonNode? expected, byte[] got)
    {
        if (expected is null) return;
        string text = Encoding.UTF8.GetString(got);
        if (expected is JsonValue value && value.TryGetValue(out string? expectedText))
        {
            Text(differences, what, expectedText, text);
            return;
        }
        JsonNode? node;
        try
        {
            node = JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            differences.Add($"{what}: expected JSON, got {Shown(text)}");
            return;
        }
        if (!JsonNode.DeepEquals(expected, node)) differences.Add($"{what}: expected {expected.ToJsonString()}, got {node?.ToJsonString() ?? "null"}");
    }

    private static string Shown(string? text) => text is null ? "nothing" : $"\"{(text.Length > 500 ? text[..500] + "…" : text)}\"";
}

/// <summary>What a test expects of the request that a destination gets.</summary>
internal sealed record UpstreamExpectation
{
    /// <summary>No request is forwarded.</summary>
    internal bool IsNone { get; init; }

    internal string? Method { get; init; }

    internal string? Target { get; init; }

    internal IReadOnlyList<KeyValuePair<string, string?>> Headers { get; init; } = [];

    internal JsonNode? Body { get; init; }

    internal void Compare(List<string> differences, FakeRequest? forwarded)
    {
        if (IsNone)
        {
            if (forwarded is not null) differences.Add($"upstream: expected none, got {forwarded.Method} {forwarded.Target}");
            return;
        }
        if (forwarded is null)
        {
            differences.Add("upstream: expected a request, but none was forwarded");
            return;
        }
        Expectation.Text(differences, "upstream method", Method, forwarded.Method);
        Expectation.Text(differences, "upstream target", Target, forwarded.Target);
        Expectation.Fields(differences, "upstream header", Headers, forwarded.Headers);
        Expectation.Content(differences, "upstream body", Body, forwarded.Body);
    }
}
