using LoadBalancer.Balancing;
using LoadBalancer.Simulation.Scenarios;

namespace LoadBalancer.Simulation.Results;

/// <summary>A scenario under several algorithms, all with the same seeds.</summary>
/// <param name="Scenario">What was simulated.</param>
/// <param name="Algorithms">In the order asked for.</param>
public sealed record ExperimentResult(Scenario Scenario, IReadOnlyList<AlgorithmResult> Algorithms)
{
    /// <summary>Requests simulated in all runs.</summary>
    public long Requests => Algorithms.Sum(algorithm => algorithm.Runs.Sum(run => run.Requests));

    /// <summary>Hash of all runs: the same wherever the experiment is repeated.</summary>
    public string Hash
    {
        get
        {
            ulong hash = 0;
            foreach (RunResult run in Algorithms.SelectMany(algorithm => algorithm.Runs)) hash = HashKeys.Mix(hash ^ run.Hash);
            return hash.ToString("x16");
        }
    }

    /// <summary>The algorithm that the others are compared with: the lowest p99 among those with the fewest errors, the oracle aside.</summary>
    public AlgorithmResult? Best { get; init; }
}
