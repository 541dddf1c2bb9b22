using LoadBalancer.Core.Configuration;
using LoadBalancer.Hosting.Configuration;
using LoadBalancer.Simulation.Replay;
using LoadBalancer.Simulation.Scenarios;

namespace LoadBalancer.Edge.Commands;

/// <summary>What <c>lb simulate</c> simulates. Problems go to standard error.</summary>
internal static class SimulateInput
{
    private const double BusyLoad = 0.95;

    /// <summary>The scenario of that name or file with the requests asked for; null when there is a problem.</summary>
    internal static Scenario? Scenario(string nameOrFile, int? requests, string? log)
    {
        if ((ReadyScenarios.Find(nameOrFile) ?? Read(nameOrFile)) is not { } scenario) return null;
        if (log is not null)
        {
            if (ReadTrace(log) is not { } trace) return null;
            scenario.Trace = trace;
            scenario.Requests = trace.Count;
        }
        if (requests is { } count) scenario.Requests = count;
        IReadOnlyList<string> faults = ScenarioValidator.Validate(scenario);
        foreach (string fault in faults) Console.Error.WriteLine($"lb: {fault}");
        if (faults.Count > 0) return null;
        if (log is not null && scenario.OfferedLoad > BusyLoad)
            Console.Error.WriteLine($"lb: {log}: its requests are {scenario.OfferedLoad:0.##} of what the servers of '{scenario.Name}' can do; describe yours in a scenario file (--print writes one)");
        return scenario;
    }

    private static Scenario? Read(string path)
    {
        if (!File.Exists(path) && !path.Contains('.', StringComparison.Ordinal) && !path.Contains('/', StringComparison.Ordinal))
        {
            Console.Error.WriteLine($"lb: no scenario or file is called {CharacterText.Quote(path)}{Suggestion.Text(path, [.. ReadyScenarios.All.Select(s => s.Name)])}");
            return null;
        }
        try
        {
            Scenario? scenario = ScenarioFile.Parse(File.ReadAllBytes(path), out IReadOnlyList<string> faults);
            foreach (string fault in faults) Console.Error.WriteLine($"{path}: {fault}");
            return scenario;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"lb: {path}: the scenario {FileProblem.Describe(e, path)}");
            return null;
        }
    }

    private static Trace? ReadTrace(string path)
    {
        try
        {
            Trace? trace = LoadBalancer.Simulation.Replay.AccessLog.Read(File.ReadLines(path), out int skipped);
            if (skipped > 0) Console.Error.WriteLine($"lb: {path}: {skipped} lines without a time and a duration are left out");
            if (trace is null) Console.Error.WriteLine($"lb: {path}: expected at least {LoadBalancer.Simulation.Replay.AccessLog.RequestsMin} lines with a time and a duration");
            return trace;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"lb: {path}: the access log {FileProblem.Describe(e, path)}");
            return null;
        }
    }
}
