using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Edge.Tests;

/// <summary>What the README tells a newcomer to type works as it stands there: commands of lb are run here, the others by .ci/run.</summary>
[TestFixture, FixtureLifeCycle(LifeCycle.InstancePerTestCase), Parallelizable(ParallelScope.All)]
public sealed class ReadmeTests : IDisposable
{
    private const string Lb = "artifacts/lb/lb ";

    private readonly string _directory = Directory.CreateTempSubdirectory("lb-test-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Test]
    public void EachCommandIsRunHereOrByTheGate()
    {
        string[][] gate = [.. Repository.Read(".ci/run").Split('\n').Select(Words)];
        string[] others = [.. Commands().Where(command => !command.StartsWith(Lb, StringComparison.Ordinal))];
        Assert.That(others, Is.Not.Empty.And.All.Matches<string>(command => Array.Exists(gate, line => HasInOrder(line, Words(command)))));
    }

    [Test, CancelAfter(60_000)]
    public async Task TheCommandsOfLbWorkInTheirOrder(CancellationToken cancellationToken)
    {
        string[] commands = [.. Commands().Where(command => command.StartsWith(Lb, StringComparison.Ordinal)).Select(command => command[Lb.Length..])];
        Assert.That(commands, Is.Not.Empty);
        foreach (string command in commands)
        {
            // Another port than these, which somebody may have.
            string[] args = Words(command.Replace(":8080", "127.0.0.1:0", StringComparison.Ordinal).Replace(":8443", "127.0.0.1:0", StringComparison.Ordinal));
            LbResult result = args[0] == "run" ? await RunAsync(args, cancellationToken) : await LbProcess.RunAsync(_directory, cancellationToken, args);
            Assert.That(result.ExitCode, Is.Zero, $"{command}: {result.Error}");
            if (args[0] == "init") await MovePortAsync(cancellationToken);
        }
    }

    [Test, CancelAfter(30_000)]
    public async Task TheConfigurationPassesItsCheck(CancellationToken cancellationToken)
    {
        string[] parts = Repository.Read("README.md").Split("```jsonc\n");
        Assert.That(parts, Has.Length.EqualTo(2));
        await File.WriteAllTextAsync(Path.Combine(_directory, "lb.json"), parts[1][..parts[1].IndexOf("```", StringComparison.Ordinal)], cancellationToken);
        LbResult result = await LbProcess.RunAsync(_directory, cancellationToken, "check");
        Assert.That(result.ExitCode, Is.Zero, result.Error);
    }

    private async Task<LbResult> RunAsync(string[] args, CancellationToken cancellationToken)
    {
        using LbProcess lb = LbProcess.StartIn(_directory, [new("XDG_DATA_HOME", _directory)], args);
        await lb.LineAsync("Ready.", cancellationToken);
        await lb.SignalAsync("TERM", cancellationToken);
        return await lb.EndAsync(cancellationToken);
    }

    private async Task MovePortAsync(CancellationToken cancellationToken)
    {
        const string Address = "\":${PORT:-8080}\"";
        string path = Path.Combine(_directory, "lb.json");
        string text = await File.ReadAllTextAsync(path, cancellationToken);
        Assert.That(text, Does.Contain(Address));
        await File.WriteAllTextAsync(path, text.Replace(Address, "\"127.0.0.1:0\"", StringComparison.Ordinal), cancellationToken);
    }

    // Indented lines of "Run it" and "Use it" outside of fenced blocks, without their comments.
    private static IEnumerable<string> Commands()
    {
        string readme = Repository.Read("README.md");
        int start = readme.IndexOf("## Run it", StringComparison.Ordinal), end = readme.IndexOf("## Embed it", StringComparison.Ordinal);
        string text = string.Concat(readme[start..end].Split("```").Where((_, part) => part % 2 == 0));
        return text.Split('\n').Where(line => line.StartsWith("    ", StringComparison.Ordinal)).Select(line => line.Split(" #")[0].Trim());
    }

    private static string[] Words(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    // With further options between them, where the gate needs some.
    private static bool HasInOrder(string[] line, string[] words)
    {
        int found = 0;
        foreach (string word in line)
            if (found < words.Length && word == words[found]) found++;
        return found == words.Length;
    }
}
