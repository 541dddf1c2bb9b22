using LoadBalancer.Simulation;
using LoadBalancer.Simulation.Reports;
using LoadBalancer.Simulation.Scenarios;
using LoadBalancer.Simulation.Theory;

namespace LoadBalancer.Edge.Commands;

/// <summary>What <c>lb simulate</c> prints and writes besides the comparison.</summary>
internal static class SimulateOutput
{
    internal static int List()
    {
        Console.Out.WriteLine("Scenarios:");
        foreach ((string name, string description) in ReadyScenarios.All) Console.Out.WriteLine($"  {name,-16} {description}");
        Console.Out.WriteLine("Families of scenarios drawn by chance, for --draws, or one of them by its number (random:7):");
        foreach ((string name, string description) in RandomScenario.Families) Console.Out.WriteLine($"  {name,-16} {description}");
        Console.Out.WriteLine("Algorithms, * compared when none are named:");
        foreach (string name in Experiment.Algorithms) Console.Out.WriteLine($"{(Experiment.DefaultAlgorithms.Contains(name) ? "* " : "  ")}{name}");
        return ExitCode.Ok;
    }

    internal static int SelfCheck()
    {
        int failed = 0;
        Console.Out.WriteLine($"{"",-64} {"expected",10} {"measured",10} {"off",8} {"allowed",8}");
        foreach (TheoryCheck check in TheoryCheck.All)
        {
            double measured = check.Measure();
            bool isRight = check.Accepts(measured);
            if (!isRight) failed++;
            Console.Out.WriteLine($"{check.Name,-64} {check.Expected,10:0.0000} {measured,10:0.0000} {(measured / check.Expected - 1) * 100,7:0.00}% {check.Tolerance * 100,7:0.##}%  {(isRight ? "ok" : "FAILED")}");
        }
        Console.Out.WriteLine(failed == 0 ? $"{TheoryCheck.All.Count} checks passed" : $"{failed} of {TheoryCheck.All.Count} checks failed");
        return failed == 0 ? ExitCode.Ok : ExitCode.Problem;
    }

    internal static int Tournament(string family, int scenarios, string[] algorithms, int seeds, ulong seed, int? requests)
    {
        IReadOnlyList<TournamentRound> rounds;
        using (var progress = new ProgressBar()) rounds = Simulation.Tournament.Play(family, scenarios, algorithms, seeds, seed, requests, progress.Show);
        Console.Out.Write(TournamentReport.Write(rounds, algorithms[0]));
        return ExitCode.Ok;
    }

    internal static int Search(Scenario scenario, string[] algorithms, ServiceLevel level, int seeds, ulong seed)
    {
        if (scenario.Trace is not null)
        {
            Console.Error.WriteLine("lb: '--search' and '--replay' were both given; a log has its own load");
            return ExitCode.Usage;
        }
        var results = new List<LoadSearchResult>();
        using (var progress = new ProgressBar())
        {
            int done = 0;
            for (int i = 0; i < algorithms.Length; i++, done = i * LoadSearch.StepsMax)
                results.Add(LoadSearch.Find(scenario, algorithms[i], level, seeds, seed, () => progress.Show((double)++done / (algorithms.Length * LoadSearch.StepsMax))));
        }
        Console.Out.WriteLine($"{scenario.Name}: the most load with {level} and errors <= {ServiceLevel.ErrorShareMax * 100:0} %, {seeds} x {scenario.Requests} requests at each load");
        Console.Out.WriteLine();
        Console.Out.WriteLine($"{"algorithm",-18} {"load",6} {"requests/s",11}  p{level.Quantile * 100:0.###} there, ms");
        foreach (LoadSearchResult result in results.OrderByDescending(result => result.Load))
        {
            string there = result.AtLoad is { } at ? $"{at.Quantile(level.Quantile).Mean / 1e6:0.0}" : "none is low enough";
            Console.Out.WriteLine($"{result.Algorithm,-18} {result.Load,6:0.000} {result.Rate,11:0}  {there}");
        }
        if (results.Exists(result => result.Load > 1)) Console.Out.WriteLine("More than 1 cannot be kept up: the runs end before the queues have grown. More --requests tell.");
        return ExitCode.Ok;
    }

    /// <summary>Writes a file, if one was asked for; false, with the reason on standard error, when it cannot be written.</summary>
    internal static bool WriteFile(string? path, Func<string> content)
    {
        if (path is null) return true;
        try
        {
            File.WriteAllText(path, content());
            Console.Error.WriteLine($"wrote {path}");
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"lb: cannot write {path}: {e.Message.ReplaceLineEndings(" ")}");
            return false;
        }
    }
}
