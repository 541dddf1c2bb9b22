using System.Text.Json;
using NUnit.Framework;

namespace LoadBalancer.Edge.Tests;

/// <summary>Commands that read or write and end.</summary>
[TestFixture, FixtureLifeCycle(LifeCycle.InstancePerTestCase), Parallelizable(ParallelScope.All)]
public sealed class CommandTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("lb-test-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [TestCase(2, "", "Required command was not provided")]
    [TestCase(2, "chekc", "lb: unknown command \"chekc\"; did you mean \"check\"?")]
    [TestCase(2, "run --foo", "lb: Unrecognized command or argument '--foo'.")]
    [TestCase(2, "run --listen :80", "lb: '--listen' needs '--to'")]
    [TestCase(2, "run --config a --to b:1", "lb: '--config' and '--to' were both given")]
    [TestCase(2, "run --to localhost", "lb: --to: \"localhost\" has no port; expected \"host:port\"")]
    [TestCase(2, "run --listen 80 --to localhost:1", "lb: --listen: \"80\" is only a port; did you mean \":80\"?")]
    [TestCase(2, "check a --config b", "lb: a file and '--config' were both given")]
    [TestCase(2, "demo --port 99999", "lb: '--port' is out of range")]
    [TestCase(2, "simulate --seeds 0", "lb: '--seeds' is out of range")]
    [TestCase(2, "simulate -a round-robbin", "lb: unknown algorithm \"round-robbin\"; did you mean \"round-robin\"?")]
    [TestCase(2, "simulate --search fast", "lb: '--search' does not understand \"fast\"; expected one such as \"p99=50ms\"")]
    [TestCase(2, "simulate --explain soon", "lb: '--explain' does not understand \"soon\"")]
    [TestCase(2, "bench -a prequal", "lb: unknown algorithm \"prequal\"")]
    [TestCase(2, "bench -a ,", "lb: '--algorithms' names none")]
    [TestCase(2, "bench --rounds 0", "lb: '--rounds' is out of range")]
    [TestCase(2, "bench --seconds -1", "lb: '--seconds' is out of range")]
    [TestCase(2, "bench --rate 0", "lb: '--rate' is out of range")]
    [TestCase(1, "bench mixed-flet", "lb: no scenario or file is called \"mixed-flet\"; did you mean \"mixed-fleet\"?")]
    [TestCase(2, "simulate uniform --draws 5", "lb: '--draws' needs a family of scenarios; expected random, random-classes, random-fcfs")]
    [TestCase(2, "simulate random --draws 5 --seeds 1", "lb: '--draws' needs two seeds or more")]
    [TestCase(1, "simulate unifrom", "lb: no scenario or file is called \"unifrom\"; did you mean \"uniform\"?")]
    [TestCase(1, "simulate nope.json", "lb: nope.json: the scenario does not exist")]
    [TestCase(1, "simulate --replay nope.log", "lb: nope.log: the access log does not exist")]
    [TestCase(1, "simulate --requests 5", "lb: requests: 5 is out of range")]
    [TestCase(1, "run --config nope.json", "nope.json: the configuration file does not exist")]
    [TestCase(2, "destinations list --admin 80", "lb: --admin: \"80\" is only a port")]
    [TestCase(2, "destinations drain app", "lb: Required argument missing for command: 'drain'.")]
    [TestCase(1, "check", "lb: no configuration file: neither ./lb.json nor /etc/lb/lb.json exists")]
    [CancelAfter(30_000)]
    public async Task WrongUsage_EndsWithOneLineAndItsCode(int code, string arguments, string expected, CancellationToken cancellationToken)
    {
        LbResult result = await RunAsync(cancellationToken, arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.That(result.ExitCode, Is.EqualTo(code), result.Error);
        if (arguments.Length > 0) Assert.That(result.Error, Does.StartWith(expected));
        else Assert.That(result.Output, Does.Contain("First steps:"));
        Assert.That(result.Error, Does.Not.Contain("   at "), "no stack trace");
    }

    [TestCase("run --nope", "Try 'lb run --help'.\n")]
    [TestCase("destinations drain app", "Try 'lb destinations drain --help'.\n")]
    [CancelAfter(30_000)]
    public async Task WrongUsage_NamesTheHelpOfItsCommand(string arguments, string expected, CancellationToken cancellationToken) =>
        Assert.That((await RunAsync(cancellationToken, arguments.Split(' '))).Error, Does.EndWith(expected));

    [TestCase("--help", "First steps:")]
    [TestCase("run --help", "lb run --to localhost:5000,localhost:5001")]
    [TestCase("check --help", "lb check edge.json --json")]
    [TestCase("destinations --help", "lb destinations drain app web-1")]
    [TestCase("simulate --help", "lb simulate antagonist --search p99=100ms")]
    [TestCase("bench --help", "lb bench antagonist -a round-robin,least-time --rate 2000")]
    [TestCase("simulate --list", "many-balancers")]
    [TestCase("simulate random --draws 2 --seeds 2 -n 1000 -a round-robin,random", "p99 lower, the same, higher")]
    [TestCase("simulate --explain -a round-robin -n 1000", "sends request")]
    [TestCase("simulate --search p99=100ms -a round-robin -n 1000 --seeds 1", "the most load with p99 <= 100 ms")]
    [TestCase("version", "lb 0.")]
    [TestCase("schema", "\"$schema\": \"https://json-schema.org/draft/2020-12/schema\"")]
    [TestCase("types", "declare function fetch(")]
    [CancelAfter(30_000)]
    public async Task Asked_PrintsAndSucceeds(string arguments, string expected, CancellationToken cancellationToken)
    {
        LbResult result = await RunAsync(cancellationToken, arguments.Split(' '));
        Assert.That(result, Is.EqualTo(new LbResult(0, result.Output, "")));
        Assert.That(result.Output, Does.Contain(expected));
    }

    [Test, CancelAfter(60_000)]
    public async Task Init_WritesAFileThatCheckAccepts_AndKeepsOneThatExists(CancellationToken cancellationToken)
    {
        Assert.That((await RunAsync(cancellationToken, "init")).ExitCode, Is.Zero);
        Assert.That(await RunAsync(cancellationToken, "check"), Is.EqualTo(new LbResult(0, "./lb.json: ok: 1 listener, 2 routes, 1 cluster, 2 destinations\n", "")));
        Assert.That(await RunAsync(cancellationToken, "init"), Is.EqualTo(new LbResult(1, "", "lb: lb.json exists already; '--force' overwrites it\n")));
        Assert.That((await RunAsync(cancellationToken, "init", "--force")).ExitCode, Is.Zero);
    }

    [Test, CancelAfter(60_000)]
    public async Task Simulate_SameSeed_PrintsTheSame_AndWritesItsReports(CancellationToken cancellationToken)
    {
        string[] arguments = ["simulate", "black-hole", "-a", "round-robin,latency-weighted", "-n", "2000", "--seeds", "2"];
        LbResult first = await RunAsync(cancellationToken, [.. arguments, "--csv", "a.csv", "--json", "a.json", "--html", "a.html"]);
        LbResult second = await RunAsync(cancellationToken, arguments);
        Assert.That(first.ExitCode, Is.Zero, first.Error);
        Assert.That(second.Output, Is.EqualTo(first.Output).And.Contain("result hash "));
        Assert.That(Directory.GetFiles(_directory).Select(Path.GetFileName), Is.SupersetOf(new[] { "a.csv", "a.json", "a.html" }));
    }

    [Test, CancelAfter(60_000)]
    public async Task Simulate_PrintedScenario_CanBeRun(CancellationToken cancellationToken)
    {
        LbResult printed = await RunAsync(cancellationToken, "simulate", "flash-crowd", "--print");
        await File.WriteAllTextAsync(Path.Combine(_directory, "mine.json"), printed.Output, cancellationToken);
        LbResult result = await RunAsync(cancellationToken, "simulate", "mine.json", "-n", "1000", "--seeds", "1", "-a", "round-robin");
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(result.Output, Does.StartWith("flash-crowd: "));
    }

    [Test, CancelAfter(60_000)]
    public async Task Simulate_AccessLog_IsReplayed(CancellationToken cancellationToken)
    {
        IEnumerable<string> lines = Enumerable.Range(0, 50).Select(i => $$"""192.0.2.1 - - [02/Jan/2026:03:04:{{i:00}} +0000] "GET / HTTP/1.1" 200 2326 0.012""");
        await File.WriteAllLinesAsync(Path.Combine(_directory, "access.log"), [.. lines, "cut"], cancellationToken);
        LbResult result = await RunAsync(cancellationToken, "simulate", "--replay", "access.log", "--seeds", "1", "-a", "round-robin");
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(result.Error, Does.StartWith("lb: access.log: 1 lines without a time and a duration are left out"));
        Assert.That(result.Output, Does.Contain("50 requests x 1 seed"));
    }

    [Test, CancelAfter(60_000)]
    public async Task Bench_ComparesLiveAndPredicts_AndWritesItsReports(CancellationToken cancellationToken)
    {
        LbResult result = await RunAsync(cancellationToken, "bench", "uniform", "-a", "round-robin,random", "--rate", "2000", "--seconds", "0.5", "--rounds", "1", "--predict", "--csv", "a.csv", "--json", "a.json");
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        string[] lines = result.Output.Split('\n');
        // Live, shares, predicted.
        Assert.That(lines.Count(line => line.StartsWith("round-robin ", StringComparison.Ordinal)), Is.EqualTo(3), result.Output);
        Assert.That(result.Output, Does.Contain("The simulator, with the same requests:").And.Contain("Late by p50"));
        Assert.That(await File.ReadAllLinesAsync(Path.Combine(_directory, "a.csv"), cancellationToken), Has.Length.EqualTo(3));
        using JsonDocument json = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(_directory, "a.json"), cancellationToken));
        Assert.That(json.RootElement.GetProperty("algorithms")[1].GetProperty("runs")[0].GetProperty("requests").GetInt32(), Is.EqualTo(1000));
    }

    [Test, CancelAfter(30_000)]
    public async Task Check_BadFile_PrintsEveryProblem(CancellationToken cancellationToken)
    {
        await File.WriteAllTextAsync(Path.Combine(_directory, "bad.json"), "{\n  \"listener\": {},\n  \"drainTimeout\": 5\n}\n", cancellationToken);
        Assert.That(await RunAsync(cancellationToken, "check", "bad.json"), Is.EqualTo(new LbResult(1, "", """
            bad.json:2:3: listener: unknown key "listener"; did you mean "listeners"?
            bad.json:3:19: drainTimeout: expected a duration such as "500ms", "30s", "2m", "1h" or "1d" (did you mean "5s"?), found the number 5
            2 problems

            """)));
    }

    [Test, CancelAfter(60_000)]
    public async Task Check_ReadsFilesOfDestinations_AndNamesOnlyWhenAsked(CancellationToken cancellationToken)
    {
        await File.WriteAllTextAsync(Path.Combine(_directory, "lb.json"), """
            { "listeners": { "web": { "address": ":80" } }, "clusters": { "app": {
              "discover": [ { "file": "fleet.json" }, { "dns": "localhost:80" } ], "destinations": { "a": "no-such-name.invalid:80" } } } }
            """, cancellationToken);
        LbResult missing = await RunAsync(cancellationToken, "check");
        Assert.That((missing.ExitCode, missing.Output), Is.EqualTo((0, "./lb.json: ok: 1 listener, 0 routes, 1 cluster, 1 destination, 2 sources of more\n")), missing.Error);
        Assert.That(missing.Error, Does.StartWith("./lb.json: clusters.app.discover[0].file: ").And.EndsWith("fleet.json does not exist; it is waited for\n"));
        await File.WriteAllTextAsync(Path.Combine(_directory, "fleet.json"), "{ \"x\": \"h\" }", cancellationToken);
        LbResult bad = await RunAsync(cancellationToken, "check");
        Assert.That((bad.ExitCode, bad.Output), Is.EqualTo((1, "")));
        Assert.That(bad.Error, Does.Contain("fleet.json:1:8: x.address: \"h\" has no port"));
        await File.WriteAllTextAsync(Path.Combine(_directory, "fleet.json"), "{ \"x\": \"h:1\" }", cancellationToken);
        LbResult resolved = await RunAsync(cancellationToken, "check", "--resolve");
        Assert.That(resolved.ExitCode, Is.EqualTo(1));
        Assert.That(resolved.Error, Does.Contain("clusters.app.discover[1]: ").And.Contain("./lb.json: clusters.app.destinations.a: no-such-name.invalid ").And.EndsWith("1 problem\n"));
    }

    [Test, CancelAfter(30_000)]
    public async Task Check_Json_IsForScripts(CancellationToken cancellationToken)
    {
        await File.WriteAllTextAsync(Path.Combine(_directory, "bad.json"), "{ \"listener\": {} }", cancellationToken);
        LbResult result = await RunAsync(cancellationToken, "check", "--config", "bad.json", "--json");
        Assert.That(result.ExitCode, Is.EqualTo(1));
        using JsonDocument json = JsonDocument.Parse(result.Output);
        JsonElement problem = json.RootElement.GetProperty("problems")[0];
        Assert.That(json.RootElement.GetProperty("ok").GetBoolean(), Is.False);
        Assert.That((problem.GetProperty("line").GetInt32(), problem.GetProperty("column").GetInt32(), problem.GetProperty("path").GetString()), Is.EqualTo((1, 3, "listener")));
    }

    private Task<LbResult> RunAsync(CancellationToken cancellationToken, params string[] args) => LbProcess.RunAsync(_directory, cancellationToken, args);
}
