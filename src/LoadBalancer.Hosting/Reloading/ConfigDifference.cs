using System.Text.Json;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Hosting.Configuration;

namespace LoadBalancer.Hosting.Reloading;

/// <summary>Tells people what differs between two configurations, field by field, without what is secret.</summary>
internal static class ConfigDifference
{
    private const int ValueLengthMax = 100;

    /// <summary>A line for each field that differs: its path, what it was, what it is.</summary>
    internal static IReadOnlyList<string> Between(ProxyConfig before, ProxyConfig after, IReadOnlyList<ConfigChange> changes)
    {
        var lines = new List<(string Path, string Text)>();
        using (JsonDocument was = JsonDocument.Parse(EffectiveConfig.Write(before)), now = JsonDocument.Parse(EffectiveConfig.Write(after))) Compare("", was.RootElement, now.RootElement, lines);
        // A change of which nothing can be shown: a secret, or an object of the embedding program.
        foreach (ConfigChange change in changes)
            if (!lines.Exists(line => line.Path.StartsWith(change.Path, StringComparison.Ordinal))) lines.Add((change.Path, change.Kind == ConfigChangeKind.Changed ? $"{change.Path}: what is not shown has changed" : $"{change}"));
        return [.. lines.Select(line => line.Text)];
    }

    private static void Compare(string path, JsonElement was, JsonElement now, List<(string Path, string Text)> lines)
    {
        if (was.ValueKind != JsonValueKind.Object || now.ValueKind != JsonValueKind.Object)
        {
            if (!JsonElement.DeepEquals(was, now)) lines.Add((path, $"{path}: {Show(was)} -> {Show(now)}"));
            return;
        }
        foreach (JsonProperty member in was.EnumerateObject())
        {
            string name = path.Length == 0 ? member.Name : ConfigPath.Member(path, member.Name);
            if (now.TryGetProperty(member.Name, out JsonElement value)) Compare(name, member.Value, value, lines);
            else lines.Add((name, $"{name}: {Show(member.Value)} -> removed"));
        }
        foreach (JsonProperty member in now.EnumerateObject())
        {
            string name = path.Length == 0 ? member.Name : ConfigPath.Member(path, member.Name);
            if (!was.TryGetProperty(member.Name, out _)) lines.Add((name, $"{name}: added {Show(member.Value)}"));
        }
    }

    private static string Show(JsonElement value)
    {
        string text = JsonSerializer.Serialize(value, DifferenceJson.Default.JsonElement);
        return text.Length <= ValueLengthMax ? text : $"{text[..ValueLengthMax]}…";
    }
}
