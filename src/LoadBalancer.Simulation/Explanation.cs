using System.Text;
using LoadBalancer.Simulation.Engine;
using LoadBalancer.Simulation.Scenarios;

namespace LoadBalancer.Simulation;

/// <summary>Why single picks went where they went: what the balancer saw of each server, and how the server truly was.</summary>
public static class Explanation
{
    private const int CandidatesMax = 24; // printed

    /// <summary>Runs once and describes some picks from a time on.</summary>
    /// <param name="scenario">What is simulated.</param>
    /// <param name="algorithm">Name.</param>
    /// <param name="seed">Seed.</param>
    /// <param name="from">Time of the first pick described.</param>
    /// <param name="picks">How many.</param>
    public static string Of(Scenario scenario, string algorithm, ulong seed, SimTime from, int picks)
    {
        ScenarioValidator.Check(scenario);
        var watch = new PickWatch(from.In(new Workload(scenario, seed).RunLength), picks);
        new Simulator(scenario, Algorithm.Of(algorithm), seed, watch).Run(algorithm);
        var text = new StringBuilder();
        foreach (WatchedPick pick in watch.Picks)
        {
            text.AppendLine($"{algorithm}: at {pick.Time / 1e9:0.000000} s balancer {pick.Balancer} sends request {pick.Request} to {pick.Picked}");
            text.AppendLine("  server     in flight: seen  true   speed  ");
            // The picked one, then those that look best.
            foreach (WatchedCandidate candidate in pick.Candidates.OrderBy(c => c.Server != pick.Picked).ThenBy(c => c.Seen).ThenByDescending(c => c.Speed).Take(CandidatesMax))
            {
                string state = candidate.Condition switch { ServerCondition.Down => "down", ServerCondition.FailsFast => "fails fast", _ => "" };
                text.AppendLine($"{(candidate.Server == pick.Picked ? "> " : "  ")}{candidate.Server,-8} {candidate.Seen,15} {candidate.Outstanding,5} {candidate.Speed,7:0.00}  {state}".TrimEnd());
            }
            if (pick.Candidates.Count > CandidatesMax) text.AppendLine($"  and {pick.Candidates.Count - CandidatesMax} more");
        }
        if (watch.Picks.Count == 0) text.AppendLine($"{algorithm}: no pick from {from} on");
        return text.ToString();
    }
}
