using System.CommandLine;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Simulation;
using LoadBalancer.Simulation.Reports;
using LoadBalancer.Simulation.Results;
using LoadBalancer.Simulation.Scenarios;

namespace LoadBalancer.Edge.Commands;

/// <summary><c>lb simulate</c></summary>
internal static class SimulateCommand
{
    private const int SeedsMax = 1000, ExplainedPicks = 5, DrawsMax = 10_000;

    internal static Command Create()
    {
        var scenario = new Argument<string>("scenario") { Description = "A scenario by name (see --list) or file", DefaultValueFactory = _ => "uniform" };
        var algorithms = new Option<string?>("--algorithms", "-a") { Description = "Algorithms to compare, with commas", HelpName = "a,b,..." };
        var seeds = new Option<int>("--seeds") { Description = "Independent runs of each algorithm, for the confidence intervals", DefaultValueFactory = _ => 5 };
        var seed = new Option<ulong>("--seed") { Description = "First seed", DefaultValueFactory = _ => 1 };
        var requests = new Option<int?>("--requests", "-n") { Description = "Requests in a run, instead of the scenario's" };
        var csv = new Option<string?>("--csv") { Description = "Write a line for each run", HelpName = "file" };
        var json = new Option<string?>("--json") { Description = "Write everything as JSON", HelpName = "file" };
        var html = new Option<string?>("--html") { Description = "Write a page with plots", HelpName = "file" };
        var replay = new Option<string?>("--replay") { Description = "Take arrivals and service times from an access log: JSON lines with time and duration, or common or combined format with the duration as last field", HelpName = "access.log" };
        var search = new Option<string?>("--search") { Description = "Find the most load that keeps a service level", HelpName = "p99=50ms" };
        var explain = new Option<string?>("--explain") { Description = "Show some picks from a time of the first run on [default: the middle]", HelpName = "time", Arity = ArgumentArity.ZeroOrOne };
        var draws = new Option<int?>("--draws") { Description = "Compare with the first algorithm over so many scenarios drawn by chance; the scenario is then a family of them, see --list", HelpName = "24" };
        var selfCheck = new Option<bool>("--self-check") { Description = "Compare the simulator with formulas of queueing theory" };
        var list = new Option<bool>("--list") { Description = "Print the scenarios and algorithms" };
        var print = new Option<bool>("--print") { Description = "Print the scenario as a file to start from" };
        var command = new ExplainedCommand("simulate", "Compares balancing algorithms on simulated servers: the same code that balances real requests, in virtual time, the same result for the same seed.", """
            Examples:
              lb simulate --list                                    scenarios and algorithms
              lb simulate antagonist                                all algorithms, 5 seeds
              lb simulate antagonist -a round-robin,latency-weighted --html report.html
              lb simulate heterogeneous --print > scenario.json     a file to change, then: lb simulate scenario.json
              lb simulate scenario.json --replay access.log         your requests on these servers
              lb simulate antagonist --search p99=100ms             how much load each algorithm carries
              lb simulate random --draws 24                         scenarios that nobody chose

            Exit codes: 0 done, 1 a bad scenario or log, or a check that failed, 2 wrong usage.
            """) { scenario, algorithms, seeds, seed, requests, csv, json, html, replay, search, explain, draws, selfCheck, list, print };
        command.Validators.Add(result =>
        {
            if (result.GetResult(seeds) is { Implicit: false } && result.GetValue(seeds) is < 1 or > SeedsMax) result.AddError($"'--seeds' is out of range; expected 1 to {SeedsMax}");
            foreach (string name in Names(result.GetValue(algorithms)))
                if (!Experiment.Algorithms.Contains(name)) result.AddError($"unknown algorithm {CharacterText.Quote(name)}{Suggestion.Text(name, [.. Experiment.Algorithms])}");
            if (result.GetValue(draws) is { } count)
            {
                if (count is < 1 or > DrawsMax) result.AddError($"'--draws' is out of range; expected 1 to {DrawsMax}");
                if (!RandomScenario.Families.Any(family => family.Name == result.GetValue(scenario))) result.AddError($"'--draws' needs a family of scenarios; expected {string.Join(", ", RandomScenario.Families.Select(family => family.Name))}");
                if (result.GetValue(seeds) < 2) result.AddError("'--draws' needs two seeds or more, for its confidence intervals");
                if (Names(result.GetValue(algorithms)).Length == 1) result.AddError("'--draws' needs two algorithms or more");
                if (result.GetValue(requests) is < 1000) result.AddError("'--requests' is out of range; expected 1000 or more");
            }
            if (result.GetValue(search) is { } level && !ServiceLevel.TryParse(level, out _)) result.AddError($"'--search' does not understand {CharacterText.Quote(level)}; expected one such as \"p99=50ms\"");
            if (result.GetValue(explain) is { } time && !SimTime.TryParse(time, out _)) result.AddError($"'--explain' does not understand {CharacterText.Quote(time)}; expected a time such as \"12.3s\" or \"50%\"");
        });
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(list)) return SimulateOutput.List();
            if (parsed.GetValue(selfCheck)) return SimulateOutput.SelfCheck();
            string[] names = Names(parsed.GetValue(algorithms));
            if (names.Length == 0) names = [.. Experiment.DefaultAlgorithms];
            if (parsed.GetValue(draws) is { } count)
                return SimulateOutput.Tournament(parsed.GetValue(scenario)!, count, names, parsed.GetValue(seeds), parsed.GetValue(seed), parsed.GetValue(requests));
            if (SimulateInput.Scenario(parsed.GetValue(scenario)!, parsed.GetValue(requests), parsed.GetValue(replay)) is not { } chosen) return ExitCode.Problem;
            if (parsed.GetValue(print))
            {
                Console.Out.WriteLine(ScenarioFile.Write(chosen));
                return ExitCode.Ok;
            }
            if (parsed.GetResult(explain) is { Implicit: false })
            {
                SimTime from = SimTime.TryParse(parsed.GetValue(explain) ?? "50%", out SimTime given) ? given : default;
                foreach (string name in names) Console.Out.WriteLine(Explanation.Of(chosen, name, parsed.GetValue(seed), from, ExplainedPicks));
                return ExitCode.Ok;
            }
            if (parsed.GetValue(search) is { } level)
                return SimulateOutput.Search(chosen, names, ServiceLevel.TryParse(level, out ServiceLevel wanted) ? wanted : default, parsed.GetValue(seeds), parsed.GetValue(seed));
            return Compare(chosen, names, parsed.GetValue(seeds), parsed.GetValue(seed), parsed.GetValue(csv), parsed.GetValue(json), parsed.GetValue(html));
        });
        return command;
    }

    private static int Compare(Scenario scenario, string[] names, int seeds, ulong seed, string? csv, string? json, string? html)
    {
        long start = TimeProvider.System.GetTimestamp();
        ExperimentResult result;
        using (var progress = new ProgressBar()) result = Experiment.Run(scenario, names, seeds, seed, progress.Show);
        double seconds = TimeProvider.System.GetElapsedTime(start).TotalSeconds;
        Console.Out.Write(TextReport.Write(result));
        Console.Out.WriteLine();
        Console.Out.WriteLine($"result hash {result.Hash}");
        // How fast it was is not part of the result, which is the same every time.
        Console.Error.WriteLine($"{result.Requests / 1e6:0.##} million requests in {seconds:0.#} s, {result.Requests / 1e6 / seconds * 60:0} million a minute");
        return SimulateOutput.WriteFile(csv, () => DataReports.Csv(result))
            && SimulateOutput.WriteFile(json, () => DataReports.Json(result, ProductVersion.Text))
            && SimulateOutput.WriteFile(html, () => HtmlReport.Write(result, ProductVersion.Text)) ? ExitCode.Ok : ExitCode.Problem;
    }

    internal static string[] Names(string? text) =>
        [.. (text ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Distinct()];
}
