using System.CommandLine;
using System.Text;
using LoadBalancer.Core;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Policies;
using LoadBalancer.Gateway.Versioning;
using LoadBalancer.Translation;
using LoadBalancer.Translation.Maps;
using LoadBalancer.Translation.RoundTrips;
using LoadBalancer.Edge.Logging;
using LoadBalancer.Edge.Rehearsal;
using LoadBalancer.Hosting.Configuration;
using Microsoft.Extensions.Logging;

namespace LoadBalancer.Edge.Commands;

/// <summary><c>lb test</c></summary>
internal static class TestCommand
{
    private const int DifferencesShownMax = 5;

    internal static Command Create()
    {
        var files = new Argument<string[]>("file") { Description = "Test file, or a directory with files \"*.test.json\"", Arity = ArgumentArity.OneOrMore };
        var filter = new Option<string?>("--filter") { Description = "Only tests whose name contains this" };
        Option<string> log = LogLevelOption.Create("error");
        var command = new ExplainedCommand("test", "Sends requests through a configuration, with fake destinations, and compares what becomes of them with what is expected.", """
            A test file names a configuration and lists requests: see docs/testing.md.

            Examples:
              lb test lb.test.json           one file
              lb test tests/                 every *.test.json below a directory
              lb test tests/ --filter v1     those with "v1" in their names

            Exit codes: 0 all passed, 1 some failed or a file cannot be read, 2 wrong usage.
            """) { files, filter, log };
        command.SetAction((parsed, token) => TestAsync(parsed.GetValue(files)!, parsed.GetValue(filter), LogLevelOption.Parse(parsed.GetValue(log)!), token));
        return command;
    }

    private static async Task<int> TestAsync(string[] given, string? filter, LogLevel level, CancellationToken token)
    {
        var paths = new List<string>();
        foreach (string path in given)
        {
            if (!Directory.Exists(path)) paths.Add(path);
            else paths.AddRange(Directory.EnumerateFiles(path, "*.test.json", SearchOption.AllDirectories).Order(StringComparer.Ordinal));
        }
        if (paths.Count == 0)
        {
            Console.Error.WriteLine($"lb: no file \"*.test.json\" in {string.Join(", ", given)}");
            return ExitCode.Problem;
        }
        int passed = 0, failed = 0;
        using ILoggerFactory loggers = LoggerFactory.Create(logging => logging.AddProvider(new LineLoggerProvider(Console.Error, level, TimeProvider.System)).SetMinimumLevel(level));
        foreach (string path in paths)
        {
            try
            {
                (int filePassed, int fileFailed) = await TestAsync(TestFileReader.Read(path), filter, loggers, token);
                passed += filePassed;
                failed += fileFailed;
            }
            catch (Exception e) when (e is TestFileException or ConfigException or ListenException)
            {
                Console.Error.WriteLine(e is TestFileException ? e.Message : $"{path}: {e.Message}");
                failed++;
            }
        }
        Console.Out.WriteLine($"{passed} passed, {failed} failed");
        return failed > 0 ? ExitCode.Problem : ExitCode.Ok;
    }

    private static async Task<(int Passed, int Failed)> TestAsync(TestFile file, string? filter, ILoggerFactory loggers, CancellationToken token)
    {
        ProxyConfig config = Load(file);
        foreach (string cluster in file.Destinations.Keys.Concat(file.Tests.SelectMany(test => test.Destinations.Keys)))
            if (!config.Clusters.ContainsKey(cluster)) throw new TestFileException($"{file.Path}: destinations.{cluster}: there is no cluster {CharacterText.Quote(cluster)}{Suggestion.Text(cluster, [.. config.Clusters.Keys])}");
        (int passed, int failed) = RoundTrips(file, config, filter);
        await using Stage stage = await Stage.StartAsync(config, loggers, file.Now is { } now ? new RehearsalClock(now) : null);
        foreach (TestCase test in file.Tests)
        {
            if (filter is not null && !test.Name.Contains(filter, StringComparison.OrdinalIgnoreCase)) continue;
            foreach (string cluster in config.Clusters.Keys)
                stage.Answers(cluster, test.Destinations.TryGetValue(cluster, out IReadOnlyList<FakeAnswer>? answers) || file.Destinations.TryGetValue(cluster, out answers) ? answers : []);
            List<string> differences;
            try
            {
                differences = test.Expect.Compare(await stage.SendAsync(test.Request, token));
            }
            catch (Exception e) when (e is HttpRequestException or IOException or FormatException or UriFormatException || (e is OperationCanceledException && !token.IsCancellationRequested))
            {
                differences = [$"no answer: {e.Message}"];
            }
            if (differences.Count == 0)
            {
                passed++;
                continue;
            }
            failed++;
            Console.Error.WriteLine($"{file.Path}: {test.Name}: failed");
            foreach (string difference in differences) Console.Error.WriteLine($"    {difference}");
        }
        return (passed, failed);
    }

    private static (int Passed, int Failed) RoundTrips(TestFile file, ProxyConfig config, string? filter)
    {
        int passed = 0, failed = 0;
        foreach (RoundTripCheck check in file.RoundTrips)
        {
            string name = $"round trips of {check.Policy}";
            if (!config.Policies.TryGetValue(check.Policy, out PolicyConfig? policy) || policy is not TranslateConfig translate)
                throw new TestFileException($"{file.Path}: roundTrips.{check.Policy}: there is no policy {CharacterText.Quote(check.Policy)} that translates");
            if (filter is not null && !name.Contains(filter, StringComparison.OrdinalIgnoreCase)) continue;
            VersionMap map = translate.ReadMap();
            List<RoundTripReport> reports = [.. RoundTrip.Check(map, check.Samples)];
            foreach ((string operation, BodyUse use, MapVersion version, string json) in check.Documents)
            {
                int index = map.ForV1Clients.Operations.Select(one => one.Name).ToList().IndexOf(operation);
                try
                {
                    reports.Add(RoundTrip.Check(map, index >= 0 ? index : throw new ArgumentException("the map has no such operation"), use, Encoding.UTF8.GetBytes(json), version));
                }
                catch (ArgumentException e)
                {
                    throw new TestFileException($"{file.Path}: roundTrips.{check.Policy}: {operation}: {e.Message}");
                }
            }
            RoundTripReport[] lost = [.. reports.Where(report => !report.IsIdentity)];
            passed += reports.Count - lost.Length;
            failed += lost.Length;
            foreach (RoundTripReport report in lost.Take(DifferencesShownMax)) Console.Error.WriteLine($"{file.Path}: {name}: failed{Environment.NewLine}    {report.ToString().ReplaceLineEndings(Environment.NewLine + "    ")}");
        }
        return (passed, failed);
    }

    private static ProxyConfig Load(TestFile file)
    {
        byte[] content;
        try
        {
            content = File.ReadAllBytes(file.Config);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TestFileException($"{file.Path}: config: {e.Message}");
        }
        ConfigReadResult result = ConfigFile.Parse(content, file.Config, name => file.Environment.TryGetValue(name, out string? value) ? value : System.Environment.GetEnvironmentVariable(name));
        return result.Config ?? throw new TestFileException(string.Join(System.Environment.NewLine, result.Problems));
    }
}
