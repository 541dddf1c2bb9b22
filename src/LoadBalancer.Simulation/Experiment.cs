using LoadBalancer.Balancing;
using LoadBalancer.Simulation.Engine;
using LoadBalancer.Simulation.Results;
using LoadBalancer.Simulation.Scenarios;

namespace LoadBalancer.Simulation;

/// <summary>Runs a scenario under several algorithms with common random numbers.</summary>
public static class Experiment
{
    private const double ErrorsAlike = 0.001; // a difference in the share of errors that does not decide which algorithm is best

    // Those that hash or fill up on purpose are for affinity and packing, not for the tail: to be asked for by name.
    private static readonly string[] s_special = ["first", "consistent-hash", "rendezvous", Algorithm.ByClassName];

    /// <summary>Names of all algorithms: the production policies, and those that are only here.</summary>
    public static IReadOnlyList<string> Algorithms { get; } = [.. BalancingPolicies.BuiltIn, Algorithm.ByClassName, OraclePolicy.PolicyName];

    /// <summary>Those that are compared when none are named.</summary>
    public static IReadOnlyList<string> DefaultAlgorithms { get; } = [.. Algorithms.Except(s_special)];

    /// <summary>One run.</summary>
    /// <exception cref="ArgumentException">No algorithm has that name, or the scenario is faulty.</exception>
    public static RunResult Run(Scenario scenario, string algorithm, ulong seed)
    {
        ScenarioValidator.Check(scenario);
        return new Simulator(scenario, Algorithm.Of(algorithm), seed).Run(algorithm);
    }

    /// <summary>All runs: each algorithm with each of the seeds.</summary>
    /// <param name="scenario">What is simulated.</param>
    /// <param name="algorithms">Names.</param>
    /// <param name="seeds">How many seeds, from <paramref name="firstSeed"/> on.</param>
    /// <param name="firstSeed">The first seed.</param>
    /// <param name="progress">Called after each run with the part that is done.</param>
    /// <exception cref="ArgumentException">No algorithm has one of the names, or the scenario is faulty.</exception>
    public static ExperimentResult Run(Scenario scenario, IReadOnlyList<string> algorithms, int seeds, ulong firstSeed = 1, Action<double>? progress = null)
    {
        ScenarioValidator.Check(scenario);
        var results = new List<AlgorithmResult>();
        int done = 0;
        foreach (string algorithm in algorithms)
        {
            Algorithm chosen = Algorithm.Of(algorithm);
            var runs = new RunResult[seeds];
            for (int i = 0; i < seeds; i++)
            {
                runs[i] = new Simulator(scenario, chosen, firstSeed + (ulong)i).Run(algorithm);
                progress?.Invoke((double)++done / (algorithms.Count * seeds));
            }
            results.Add(new AlgorithmResult(algorithm, runs));
        }
        return Compare(scenario, results);
    }

    /// <summary>Finds the best of the algorithms and compares the others with it.</summary>
    internal static ExperimentResult Compare(Scenario scenario, List<AlgorithmResult> results)
    {
        AlgorithmResult? best = BestOf(results);
        if (best is not null)
            foreach (AlgorithmResult result in results) result.Compare(best);
        return new ExperimentResult(scenario, results) { Best = best };
    }

    private static AlgorithmResult? BestOf(List<AlgorithmResult> results)
    {
        AlgorithmResult[] real = [.. results.Where(result => result.Name != OraclePolicy.PolicyName)];
        if (real.Length == 0) return null;
        double fewest = real.Min(result => result.ErrorShare.Mean);
        return real.Where(result => result.ErrorShare.Mean <= fewest + ErrorsAlike).MinBy(result => result.Quantile(0.99).Mean);
    }
}
