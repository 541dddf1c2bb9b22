using System.CommandLine;
using System.Text.RegularExpressions;
using LoadBalancer.Edge.Commands;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Edge.Tests;

/// <summary>
/// Each command of lb that a document shows is one that lb knows, with its options and arguments. What needs no more than a balancer that runs, or files, is run too. What the README, docs/getting-started.md and
/// samples/Gateway tell to type is run by tests of their own.
/// </summary>
[TestFixture, Parallelizable(ParallelScope.All)]
public sealed partial class DocumentedCommandTests
{
    // For what stands in capitals where it may be anything.
    private static readonly Dictionary<string, string> Placeholders = new()
    {
        ["ADDRESS"] = "203.0.113.9", ["CLUSTER"] = "app", ["NAME"] = "web-1", ["METHOD"] = "GET", ["URL"] = "http://www.example.com/app", ["FILE"] = "lb.json",
    };

    // These run until they are told to end, take the machine for themselves, or read files that are the reader's; tests of their own run them. "upgrade" puts another process in the place of the one that is asked.
    private static readonly string[] NotRun = ["run", "demo", "bench", "upgrade", "init", "convert"];

    private static IEnumerable<string> Documents() => Directory.EnumerateFiles(Path.Combine(Repository.Root, "docs"), "*.md", SearchOption.AllDirectories)
        .Concat(Directory.EnumerateFiles(Path.Combine(Repository.Root, "samples"), "README.md", SearchOption.AllDirectories))
        .Select(path => Path.GetRelativePath(Repository.Root, path)).Where(path => !path.Contains("node_modules", StringComparison.Ordinal)).Order(StringComparer.Ordinal).Append("README.md");

    [TestCaseSource(nameof(Documents))]
    public void WhatADocumentTellsToTypeIsACommand(string document)
    {
        string[] problems = [.. CommandsOf(Repository.Read(document)).Select(ProblemOf).OfType<string>()];
        Assert.That(problems, Is.Empty, string.Join('\n', problems));
    }

    [TestCaseSource(nameof(Documents))]
    public void WhatADocumentRunsOfTheRepositoryIsThere(string document)
    {
        // Programs by a relative path, but for those that are built; and projects.
        foreach (string[] words in BlocksOf(Repository.Read(document)).SelectMany(ShellText.Commands))
        {
            if (words[0].Contains('/', StringComparison.Ordinal) && words[0][0] is not ('/' or '.' or '"' or '{' or '$') && !words[0].StartsWith("artifacts/", StringComparison.Ordinal))
                Assert.That(File.Exists(Path.Combine(Repository.Root, words[0])), Is.True, words[0]);
            if (words is ["dotnet", ..] && Array.IndexOf(words, "--project") is > 0 and int at)
                Assert.That(Directory.Exists(Path.Combine(Repository.Root, words[at + 1])), Is.True, string.Join(' ', words));
        }
    }

    [TestCase("    lb check --resolve", true)]
    [TestCase("    lb check --resolv", false)]
    [TestCase("    lb chekc", false)]
    [TestCase("`lb destinations` and `lb limits show`", true)]
    [TestCase("`lb destination`", false)]
    [TestCase("`lb limits ban ADDRESS --for 1h`", true)]
    [TestCase("`lb limits ban --for 1h`", false)]
    [TestCase("`lb convert nginx|yarp FILE`", true)]
    [TestCase("`lb convert nginx|apache FILE`", false)]
    [TestCase("`lb reload [--dry-run]`", true)]
    [TestCase("```sh\nsystemctl stop lb && lb check > /dev/null 2>&1 # lb nothing\n```", true)]
    [TestCase("```sh\nuntil lb raedy; do sleep 1; done\n```", false)]
    [TestCase("```text\nlb nothing\n```", true)]
    [TestCase("`docker exec NAME /usr/bin/lb destinations list`", true)]
    [TestCase("`docker exec NAME /usr/bin/lb destinations lsit`", false)]
    public void ACommandIsFoundAndTaken(string document, bool isGood)
    {
        string[][] commands = [.. CommandsOf(document)];
        Assert.That(commands.Select(ProblemOf).OfType<string>(), isGood ? Is.Empty : Is.Not.Empty, string.Join('\n', commands.Select(words => string.Join(' ', words))));
    }

    [Test, CancelAfter(300_000)]
    public async Task WhatAsksARunningBalancerAndWhatReadsFilesWorks(CancellationToken cancellationToken)
    {
        string directory = Directory.CreateTempSubdirectory("lb-docs-").FullName, admin = $"unix:{directory}/admin.sock";
        try
        {
            await WriteFilesAsync(directory, admin, cancellationToken);
            using LbProcess lb = LbProcess.Start(directory, "run", "--config", "lb.json");
            await lb.LineAsync("Ready.", cancellationToken);
            await AskOnceAsync($"{directory}/web.sock", cancellationToken);

            var run = new HashSet<string>();
            var failures = new List<string>();
            foreach (string document in Documents().Where(document => document is not ("docs/getting-started.md" or "README.md") && !document.StartsWith("samples", StringComparison.Ordinal)))
            {
                foreach (string[] command in CommandsOf(Repository.Read(document)))
                {
                    string[] args = [.. command.Select(word => Placeholders.GetValueOrDefault(word, word))];
                    RootCommand root = CommandLine.Build();
                    if (args[0] == "simulate") args = [.. Smaller(command)];
                    if (NotRun.Contains(args[0]) || args is ["simulate"] or [_, "--self-check" or "scenario.json", ..] || root.Parse(args).Errors.Count > 0) continue; // "lb destinations" names a family of commands
                    bool asks = root.Parse([.. args, "--admin", admin]) is { Errors.Count: 0 } parsed && parsed.GetResult(AdminAsk.Admin) is not null;
                    if (args is ["top", ..] && !args.Contains("--once")) args = [.. args, "--once"];
                    if (asks) args = [.. args, "--admin", admin];
                    // What only reads may be read once.
                    if (!run.Add(string.Join(' ', args)) && args is not (["limits", "ban" or "unban", ..] or ["destinations", "add" or "remove", ..])) continue;
                    LbResult result = await LbProcess.RunAsync(directory, cancellationToken, args);
                    // By 1 "cache why" says that the answer is not stored, which it is not.
                    if (result.ExitCode > (args is ["cache", "why", ..] ? 1 : 0)) failures.Add($"{document}: lb {string.Join(' ', args)}\n{result.Output}{result.Error}");
                }
            }
            Assert.That(failures, Is.Empty, string.Join('\n', failures));
            Assert.That(run, Has.Count.GreaterThan(30));
            await lb.SignalAsync("TERM", cancellationToken);
            Assert.That((await lb.EndAsync(cancellationToken)).ExitCode, Is.Zero);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static async Task WriteFilesAsync(string directory, string admin, CancellationToken cancellationToken)
    {
        await File.WriteAllTextAsync($"{directory}/lb.json", $$"""
            {
              "admin": "{{admin}}",
              "listeners": { "web": { "address": "unix:{{directory}}/web.sock" } },
              "routes": { "all": { "respond": { "body": "ok" }, "limits": "per-client" }, "app": { "path": "/app", "cluster": "app", "cache": "main" } },
              "caches": { "main": { "memoryBytesMax": "1MiB" } },
              "clusters": { "app": { "destinations": { "web-1": "127.0.0.1:1", "web-2": "127.0.0.1:2" }, "registration": true }, "api": { "destinations": { "a": "127.0.0.1:1" } } },
              "limits": { "per-client": { "rate": "10/s" } },
            }
            """, cancellationToken);
        Directory.CreateDirectory($"{directory}/tests");
        foreach (string file in (string[])["lb.test.json", "tests/v1.test.json"])
            await File.WriteAllTextAsync($"{directory}/{file}", $$"""{ "config": "{{directory}}/lb.json", "tests": [ { "name": "v1", "request": "GET /", "expect": 200 } ] }""", cancellationToken);
    }

    // One request, of the trace whose id docs/access-log.md has.
    private static async Task AskOnceAsync(string socket, CancellationToken cancellationToken)
    {
        using var http = UnixHttp.Client(socket);
        http.DefaultRequestHeaders.Add("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        Assert.That(await http.GetStringAsync(new Uri("http://www.example.com/"), cancellationToken), Is.EqualTo("ok"));
    }

    // The numbers of the documents take minutes.
    private static IEnumerable<string> Smaller(string[] args)
    {
        for (int i = 0; i < args.Length; i++)
        {
            yield return args[i] == "NAME" ? "antagonist" : args[i];
            if (i == 1 && args[i][0] != '-' && !args.Contains("-n")) foreach (string word in (string[])["-n", "2000"]) yield return word;
            if (args[i] is not ("--draws" or "--seeds" or "-n")) continue;
            i++;
            yield return args[i - 1] == "-n" ? "2000" : "2";
        }
    }

    private static string? ProblemOf(string[] words)
    {
        string shown = $"lb {string.Join(' ', words)}";
        RootCommand root = CommandLine.Build();
        ParseResult parsed = root.Parse([.. words.Select(word => Placeholders.GetValueOrDefault(word, word))]);
        if (parsed.Errors is not [{ } error, ..])
        {
            // The parser takes an option that it does not know for an argument, where one may stand.
            return parsed.CommandResult.Tokens.FirstOrDefault(token => token.Value.StartsWith('-')) is { } unknown ? $"{shown}: {unknown.Value} is no option" : null;
        }
        // Named in a sentence, without what it needs.
        Command? named = root;
        foreach (string word in words)
        {
            if (word == words[^1] && named?.Options.Any(option => option.Name == word) == true) return null;
            named = named?.Subcommands.FirstOrDefault(command => command.Name == word);
        }
        return named is null ? $"{shown}: {error.Message}" : null;
    }

    // The words behind "lb": in blocks, and in the text between backticks.
    private static IEnumerable<string[]> CommandsOf(string document)
    {
        IEnumerable<string> texts = BlocksOf(document).Concat(TextOf(document).SelectMany(line => Code().Matches(line)).SelectMany(match => Alternatives(match.Groups[1].Value)));
        return texts.SelectMany(ShellText.Commands).Select(BehindLb).OfType<string[]>().Where(args => args.Length > 0);
    }

    // Lines of blocks of a shell, and indented ones.
    private static IEnumerable<string> BlocksOf(string document) => Lines(document).Where(line => line.Fence is "sh" or "bash" || line.Fence is null && line.Text.StartsWith("    ", StringComparison.Ordinal))
        .Select(line => line.Text.Replace("$LB", "--admin unix:/admin.sock", StringComparison.Ordinal));

    private static IEnumerable<string> TextOf(string document) => Lines(document).Where(line => line.Fence is null && !line.Text.StartsWith("    ", StringComparison.Ordinal)).Select(line => line.Text);

    private static IEnumerable<(string? Fence, string Text)> Lines(string document)
    {
        string? fence = null;
        foreach (string line in document.Split('\n'))
        {
            if (line.TrimStart().StartsWith("```", StringComparison.Ordinal)) fence = fence is null ? line.Trim()[3..] : null;
            else yield return (fence, line);
        }
    }

    private static string[]? BehindLb(string[] words)
    {
        int at = words[0] is "lb" or "artifacts/lb/lb" ? 0 : Array.IndexOf(words, "/usr/bin/lb");
        return at < 0 ? null : words[(at + 1)..];
    }

    // "nginx|yarp" is one or the other, "[--dry-run]" may be left out.
    private static IEnumerable<string> Alternatives(string text)
    {
        text = text.Replace("[", "", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal);
        return Either().Match(text) is { Success: true } either ? either.Value.Split('|').Select(one => text.Replace(either.Value, one, StringComparison.Ordinal)) : [text];
    }

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();

    [GeneratedRegex(@"\w+(?:\|\w+)+")]
    private static partial Regex Either();
}
