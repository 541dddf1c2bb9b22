using System.Diagnostics;
using System.Text;
using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Edge.Tests;

/// <summary>docs/getting-started.md as its reader types it: its commands in one shell, with other ports, and after each what is printed there.</summary>
[TestFixture]
public sealed class GettingStartedTests
{
    [Test, CancelAfter(180_000)]
    public async Task EveryCommandDoesWhatStandsBelowIt(CancellationToken token)
    {
        SystemProgram.Require("curl");
        SystemProgram.Require("openssl");
        string folder = Directory.CreateTempSubdirectory("lb-test-").FullName;
        try
        {
            string document = Repository.Read("docs/getting-started.md");
            // "500$n" in a loop: nobody can ask for two ports that follow each other.
            string[] ports = [.. Enumerable.Range(0, 4).Select(_ => $"{SystemProgram.FreePort()}")];
            string Moved(string text) => text.Replace("500$n", "$(printenv P$n)", StringComparison.Ordinal).Replace("127.0.0.1:5001", $"127.0.0.1:{ports[0]}", StringComparison.Ordinal)
                .Replace("127.0.0.1:5002", $"127.0.0.1:{ports[1]}", StringComparison.Ordinal).Replace(":8080", $":{ports[2]}", StringComparison.Ordinal).Replace(":8443", $":{ports[3]}", StringComparison.Ordinal);

            var script = new StringBuilder($"set -euo pipefail\nchmod 700 {folder}/bin/lb\nexport P1={ports[0]} P2={ports[1]}\nexport PATH=\"{folder}/bin:$PATH\"\n");
            var expected = new List<string[]>();
            foreach ((string language, string content) in Blocks(document))
            {
                if (language == "sh")
                {
                    script.Append("echo '=== block'\n").Append(Moved(content));
                    expected.Add([]);
                }
                else if (language == "text") expected[^1] = content.TrimEnd('\n').Split('\n');
            }
            Assert.That(expected, Has.Count.GreaterThan(4));
            Directory.CreateDirectory($"{folder}/bin");
            string? binary = Environment.GetEnvironmentVariable("LB_BINARY");
            await File.WriteAllTextAsync($"{folder}/bin/lb", $"#!/bin/sh\nexec {binary ?? $"dotnet {TestContext.CurrentContext.TestDirectory}/lb.dll"} \"$@\"\n", token);
            Directory.CreateDirectory($"{folder}/work");

            var start = new ProcessStartInfo("bash", ["-c", script.ToString()]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = $"{folder}/work" };
            start.Environment["PWD"] = $"{folder}/work";
            using Process shell = Process.Start(start)!;
            try
            {
                Task<string> error = shell.StandardError.ReadToEndAsync(token);
                string output = await shell.StandardOutput.ReadToEndAsync(token);
                await shell.WaitForExitAsync(token);
                Assert.That(shell.ExitCode, Is.Zero, $"{output}\n{await error}");
                string[] blocks = output.Split("=== block\n")[1..];
                Assert.That(blocks, Has.Length.EqualTo(expected.Count));
                for (int i = 0; i < blocks.Length; i++)
                    foreach (string line in expected[i]) Assert.That(blocks[i].Split('\n').Select(printed => printed.Trim()), Has.Some.StartsWith(line), $"block {i + 1}: {blocks[i]}");
            }
            finally
            {
                if (!shell.HasExited) shell.Kill(entireProcessTree: true);
                foreach (string pid in Directory.EnumerateFiles($"{folder}/work", "*.pid"))
                    if (int.TryParse(await File.ReadAllTextAsync(pid, CancellationToken.None), out int id)) Process.Start("kill", ["-KILL", $"{id}"])?.WaitForExit(); // gone already, unless the test has failed
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Test]
    public void TheOtherCommandsAreTheGates()
    {
        string[] commands = [.. Repository.Read("docs/getting-started.md").Split('\n').Where(line => line.StartsWith("    ", StringComparison.Ordinal) && !line.Contains("export PATH", StringComparison.Ordinal) && line[4] is not (' ' or '"')).Select(line => line.Trim())];
        Assert.That(commands, Has.Some.StartsWith("dotnet publish"));
        Assert.That(Repository.Read(".ci/run"), Does.Contain(commands.Single(command => command.StartsWith("dotnet publish", StringComparison.Ordinal))));
    }

    private static IEnumerable<(string Language, string Content)> Blocks(string document)
    {
        string[] parts = document.Split("```");
        for (int i = 1; i < parts.Length; i += 2)
        {
            int end = parts[i].IndexOf('\n', StringComparison.Ordinal);
            yield return (parts[i][..end], parts[i][(end + 1)..]);
        }
    }
}
