using System.CommandLine;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Lab;
using LoadBalancer.Simulation;
using LoadBalancer.Simulation.Reports;
using LoadBalancer.Simulation.Results;
using LoadBalancer.Simulation.Scenarios;

namespace LoadBalancer.Edge.Commands;

/// <summary><c>lb bench</c></summary>
internal static class BenchCommand
{
    private const int RoundsMax = 1000, SecondsMax = 3600, RateMax = 100_000, RequestsMin = 1000;
    private const string ScenarioDefault = "mixed-fleet", AlgorithmsDefault = "latency-weighted,least-outstanding,power-of-two,round-robin";

    internal static Command Create()
    {
        var scenario = new Argument<string>("scenario") { Description = "A scenario of lb simulate, by name or file", DefaultValueFactory = _ => ScenarioDefault };
        var algorithms = new Option<string>("--algorithms", "-a") { Description = "Algorithms to compare, with commas", HelpName = "a,b,...", DefaultValueFactory = _ => AlgorithmsDefault };
        var rounds = new Option<int>("--rounds") { Description = "Rounds, in each of which every algorithm has a turn with the same requests", DefaultValueFactory = _ => 3 };
        var seconds = new Option<double>("--seconds") { Description = "Length of a turn, which has 1000 requests at least", DefaultValueFactory = _ => 3 };
        var rate = new Option<double?>("--rate") { Description = "Requests per second, instead of the scenario's" };
        var seed = new Option<ulong>("--seed") { Description = "Seed of the first round", DefaultValueFactory = _ => 1 };
        var ejection = new Option<bool>("--ejection") { Description = "Let the balancers eject servers that fail, as lb run does; without, the algorithms alone are compared" };
        var predict = new Option<bool>("--predict") { Description = "Print beside it what the simulator says" };
        var csv = new Option<string?>("--csv") { Description = "Write a line for each turn", HelpName = "file" };
        var json = new Option<string?>("--json") { Description = "Write everything as JSON", HelpName = "file" };
        var command = new ExplainedCommand("bench", "Compares balancing algorithms live: the simulator's servers behind real sockets, a whole balancer for each algorithm, requests sent when they are due.", """
            Examples:
              lb bench                                              the default algorithms before unequal servers
              lb bench antagonist -a round-robin,least-time --rate 2000
              lb bench --ejection --predict                         with outlier ejection; and what the simulator predicts without
              lb bench scenario.json --rounds 5 --seconds 10 --json result.json

            All of it runs on this machine, which should have two cores to spare. Exit codes: 0 done, 1 a bad scenario, 2 wrong usage.
            """) { scenario, algorithms, rounds, seconds, rate, seed, ejection, predict, csv, json };
        command.Validators.Add(result =>
        {
            if (result.GetResult(rounds) is { Implicit: false } && result.GetValue(rounds) is < 1 or > RoundsMax) result.AddError($"'--rounds' is out of range; expected 1 to {RoundsMax}");
            if (result.GetResult(seconds) is { Implicit: false } && result.GetValue(seconds) is not (> 0 and <= SecondsMax)) result.AddError($"'--seconds' is out of range; expected more than 0, up to {SecondsMax}");
            if (result.GetResult(rate) is not null && result.GetValue(rate) is not (>= 1 and <= RateMax)) result.AddError($"'--rate' is out of range; expected 1 to {RateMax}");
            if (result.GetResult(algorithms) is { Implicit: false })
            {
                string[] names = SimulateCommand.Names(result.GetValue(algorithms));
                if (names.Length == 0) result.AddError("'--algorithms' names none");
                foreach (string name in names)
                    if (!LiveExperiment.Algorithms.Contains(name)) result.AddError($"unknown algorithm {CharacterText.Quote(name)}{Suggestion.Text(name, [.. LiveExperiment.Algorithms])}");
            }
        });
        command.SetAction(async (parsed, cancellationToken) =>
        {
            if (SimulateInput.Scenario(parsed.GetValue(scenario)!, requests: null, log: null) is not { } chosen) return ExitCode.Problem;
            if (chosen.Balancers > LiveExperiment.BalancersMax)
            {
                Console.Error.WriteLine($"lb: balancers: {chosen.Balancers} are too many to run live; expected at most {LiveExperiment.BalancersMax}");
                return ExitCode.Problem;
            }
            if (parsed.GetValue(rate) is { } given) chosen.Arrivals.Rate = given;
            chosen.Requests = Math.Max(RequestsMin, (int)(Capacity.RateOf(chosen) * parsed.GetValue(seconds)));
            foreach (string difference in LiveExperiment.Differences(chosen)) Console.Error.WriteLine($"lb: {difference}");
            var options = new LiveOptions { Rounds = parsed.GetValue(rounds), Seed = parsed.GetValue(seed), Ejection = parsed.GetValue(ejection) };
            string[] names = SimulateCommand.Names(parsed.GetValue(algorithms));
            LiveResult result;
            using (var progress = new ProgressBar()) result = await LiveExperiment.RunAsync(chosen, names, options, progress.Show, cancellationToken);
            Console.Out.Write(TextReport.Write(result.Experiment));
            Console.Out.WriteLine();
            Console.Out.Write(LiveReport.Write(result));
            if (parsed.GetValue(predict)) Predict(chosen, names, options);
            return SimulateOutput.WriteFile(parsed.GetValue(csv), () => DataReports.Csv(result.Experiment))
                && SimulateOutput.WriteFile(parsed.GetValue(json), () => DataReports.Json(result.Experiment, ProductVersion.Text)) ? ExitCode.Ok : ExitCode.Problem;
        });
        return command;
    }

    private static void Predict(Scenario scenario, string[] algorithms, LiveOptions options)
    {
        ExperimentResult predicted = Experiment.Run(scenario, algorithms, options.Rounds, options.Seed);
        Console.Out.WriteLine();
        Console.Out.WriteLine("The simulator, with the same requests:");
        Console.Out.WriteLine();
        Console.Out.Write(TextReport.Write(predicted));
    }
}
