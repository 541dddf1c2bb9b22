using System.Text.Json;
using System.Text.RegularExpressions;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.FunctionalTests;

/// <summary>
/// Keeps the documents true: what stands between backticks and looks like a path, a type, a member, a test, a key of the configuration or
/// such a key with its default exists as written. Fenced blocks are not looked at.
/// </summary>
public sealed partial class DocsTests
{
    // Types of the framework.
    private static readonly HashSet<string> Foreign = ["IDuplexPipe", "Pipe", "PipeReader", "PoolingAsyncValueTaskMethodBuilder"];

    // How the documents call the parts of the configuration, and the schema.
    private static readonly Dictionary<string, string> Parts = new()
    {
        ["listener"] = "listener", ["tls"] = "tls", ["tcp"] = "tcp", ["proxyProtocol"] = "proxyProtocol", ["limits"] = "listenerLimits", ["route"] = "route", ["cluster"] = "cluster", ["pool"] = "connectionPool",
    };

    private static readonly Lazy<JsonElement> Schema = new(() => JsonDocument.Parse(Repository.Read("schema/lb.schema.json")).RootElement);

    private static IEnumerable<string> Documents() => Directory.EnumerateFiles(Path.Combine(Repository.Root, "docs"), "*.md", SearchOption.AllDirectories)
        .Select(path => Path.GetRelativePath(Repository.Root, path).Replace('\\', '/'))
        .Where(path => path != "docs/configuration.md") // made of the schema, and compared with it elsewhere; its values are not names of ours
        .Order().Prepend("CHANGELOG.md").Prepend("README.md");

    [TestCaseSource(nameof(Documents))]
    public void WhatADocumentNamesExists(string document)
    {
        string[] problems = [.. Problems(Repository.Read(document), Path.GetDirectoryName(document)!)];
        Assert.That(problems, Is.Empty, string.Join('\n', problems));
    }

    [TestCase("`src/LoadBalancer.Core/Forwarding/Forwarder.cs`", true)]
    [TestCase("`src/LoadBalancer.Core/Forwarding/Nobody.cs`", false)]
    [TestCase("`lexicon.md`", true)]
    [TestCase("`nothing.md`", false)]
    [TestCase("`Forwarder`", true)]
    [TestCase("`NoSuchType`", false)]
    [TestCase("`PipeReader`", true)]
    [TestCase("`Forwarder.TrySend`", true)]
    [TestCase("`Forwarder.TrySendNot`", false)]
    [TestCase("`Forwarder.Reset`", false, Description = "is called there, and declared elsewhere")]
    [TestCase("`EndReason.NoRoute`", true)]
    [TestCase("`DocsTests.WhatADocumentNamesExists`", true)]
    [TestCase("`DocsTests.Problems`", false, Description = "is no test")]
    [TestCase("`requestHeadTimeout`", true)]
    [TestCase("`requestTailTimeout`", false)]
    [TestCase("`limits.requestHeadTimeout: 10s`", true)]
    [TestCase("`limits.requestHeadTimeout: 11s`", false)]
    [TestCase("`limits.requestBodyBytesMax: null`", true)]
    [TestCase("`limits.nothing: 1`", false)]
    [TestCase("`GET / HTTP/1.1` and `lb.json` are nothing of ours", true)]
    [TestCase("```\n`NoSuchType`\n```", true)]
    public void ANameIsCheckedByItsForm(string text, bool isGood) => Assert.That(Problems(text, "docs"), isGood ? Is.Empty : Is.Not.Empty);

    private static IEnumerable<string> Problems(string document, string folder)
    {
        bool isFenced = false;
        int number = 0;
        foreach (string line in document.Split('\n'))
        {
            number++;
            if (line.StartsWith("```", StringComparison.Ordinal)) isFenced = !isFenced;
            if (isFenced) continue;
            foreach (Match match in Code().Matches(line))
                if (ProblemOf(match.Groups[1].Value, folder) is { } problem) yield return $"line {number}: {match.Value}: {problem}";
        }
    }

    // A scenario of `lb simulate` is read into these records.
    private static readonly Lazy<HashSet<string>> ScenarioKeys = new(() =>
    [
        .. Directory.EnumerateFiles(Path.Combine(Repository.Root, "src/LoadBalancer.Simulation/Scenarios"), "*.cs")
            .SelectMany(file => ScenarioKey().Matches(File.ReadAllText(file)))
            .Select(match => JsonNamingPolicy.CamelCase.ConvertName(match.Groups[1].Value)),
    ]);

    private static string? ProblemOf(string code, string folder)
    {
        if (PathForm().IsMatch(code))
            return Path.Exists(Path.Combine(Repository.Root, code)) || Path.Exists(Path.Combine(Repository.Root, folder, code)) ? null : "no such file";
        if (MemberForm().Match(code) is { Success: true } member)
        {
            string type = member.Groups[1].Value;
            bool exists = type.EndsWith("Tests", StringComparison.Ordinal) ? Sources.Tests.Contains(code) : Sources.HasMember(type, member.Groups[2].Value);
            return exists ? null : "no such member or test";
        }
        if (TypeForm().IsMatch(code)) return Foreign.Contains(code) || Sources.HasType(code) || Sources.HasMember(code) ? null : "no such type or member";
        if (KeyForm().IsMatch(code))
            return Repository.Read("schema/lb.schema.json").Contains($"\"{code}\": {{", StringComparison.Ordinal) || ScenarioKeys.Value.Contains(code) ? null : "no such key";
        if (DefaultForm().Match(code) is { Success: true } value)
        {
            return Parts.TryGetValue(value.Groups[1].Value, out string? part)
                && Schema.Value.GetProperty("$defs").GetProperty(part).GetProperty("properties").TryGetProperty(value.Groups[2].Value, out JsonElement key)
                && key.TryGetProperty("default", out JsonElement expected)
                ? expected.GetRawText().Trim('"') == value.Groups[3].Value ? null : $"the default is {expected.GetRawText()}"
                : "no such key with a default";
        }
        return null;
    }

    [GeneratedRegex(@"public \S+ (\w+) \{ get; (?:set|init); \}")]
    private static partial Regex ScenarioKey();

    [GeneratedRegex(@"`([^`]+)`")]
    private static partial Regex Code();

    [GeneratedRegex(@"^(?:(?:src|tests|bench|docs|samples|schema|\.ci)/[\w./-]*|[\w-]+\.md)$")]
    private static partial Regex PathForm();

    [GeneratedRegex(@"^([A-Z]\w*)\.([A-Za-z]\w*)$")]
    private static partial Regex MemberForm();

    [GeneratedRegex(@"^[A-Z]\w*[a-z]\w*$")]
    private static partial Regex TypeForm();

    [GeneratedRegex("^[a-z]+(?:[A-Z][a-z]+)+$")]
    private static partial Regex KeyForm();

    [GeneratedRegex(@"^([a-z]\w*)\.([a-z]\w*): (.+)$")]
    private static partial Regex DefaultForm();
}
