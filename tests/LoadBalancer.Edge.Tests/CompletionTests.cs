using LoadBalancer.Testing;
using NUnit.Framework;

namespace LoadBalancer.Edge.Tests;

/// <summary>What shells complete, by the shells themselves; and the manual page, by man.</summary>
[TestFixture, FixtureLifeCycle(LifeCycle.InstancePerTestCase), Parallelizable(ParallelScope.All)]
public sealed class CompletionTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("lb-test-").FullName;

    public CompletionTests()
    {
        // What is found by name, as the scripts do.
        string binary = Environment.GetEnvironmentVariable("LB_BINARY") ?? $"dotnet {Path.Combine(TestContext.CurrentContext.TestDirectory, "lb.dll")}";
        File.WriteAllText($"{_directory}/lb", $"#!/bin/sh\nexec {binary} \"$@\"\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode($"{_directory}/lb", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private const string Bash = """
        source <(lb completion bash)
        COMP_LINE="$1"; COMP_POINT=${#COMP_LINE}; read -ra COMP_WORDS <<< "$COMP_LINE"
        case "$COMP_LINE" in *" ") COMP_WORDS+=("");; esac
        COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
        _lb; printf '%s\n' "${COMPREPLY[@]}"
        """;

    private const string Zsh = """
        compdef() { }; _files() { print files }
        compadd() { print -l -- "${(@P)2}" }
        source <(lb completion zsh)
        words=("${(@s: :)1}"); CURRENT=$#words; _lb
        """;

    private const string Fish = """
        source (lb completion fish | psub); complete --do-complete "$argv[1]"
        """;

    [TestCase("bash", Bash, "lb che", "check")]
    [TestCase("bash", Bash, "lb cache ", "purge")]
    [TestCase("bash", Bash, "lb run --l", "--listen")]
    [TestCase("zsh", Zsh, "lb che", "check")]
    [TestCase("zsh", Zsh, "lb run --l", "--listen")]
    [TestCase("fish", Fish, "lb che", "check")]
    [TestCase("fish", Fish, "lb run --l", "--listen")]
    [CancelAfter(60_000)]
    public async Task ShellsCompleteWhatIsTyped(string shell, string script, string typed, string expected)
    {
        SystemProgram.Require(shell);
        (int exitCode, string output) = shell == "fish" ? await RunAsync(shell, "--no-config", "-c", script, typed) : await RunAsync(shell, "-c", script, "-", typed);
        Assert.That(exitCode, Is.Zero, output);
        Assert.That(output.Split('\n'), Has.Member(expected));
    }

    [Test, CancelAfter(60_000)]
    public async Task TheManualPageIsSoundAndSaysWhatTheCommandsSay()
    {
        SystemProgram.Require("man");
        (int exitCode, string output) = await RunAsync("bash", "-c", "set -o pipefail; lb man > lb.1 && man --warnings -l lb.1 | col -b");
        Assert.That(exitCode, Is.Zero, output);
        Assert.That(output, Does.Not.Contain("warning:").And.Contain("lb destinations list").And.Contain("--listen, -l host:port").And.Contain("SIGTERM"));
    }

    private Task<(int ExitCode, string Output)> RunAsync(string program, params string[] arguments) =>
        SystemProgram.RunAsync("env", TestContext.CurrentContext.CancellationToken, [$"PATH={_directory}:{Environment.GetEnvironmentVariable("PATH")}", $"--chdir={_directory}", program, .. arguments]);
}
