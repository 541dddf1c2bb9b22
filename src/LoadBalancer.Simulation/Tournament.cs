using LoadBalancer.Simulation.Results;
using LoadBalancer.Simulation.Scenarios;

namespace LoadBalancer.Simulation;

/// <summary>Algorithms compared with the first of them over many scenarios drawn by chance.</summary>
public static class Tournament
{
    /// <summary>Plays it: scenarios 1, 2, … of a family, each with the same seeds for all algorithms.</summary>
    /// <param name="family">A name from <see cref="RandomScenario.Families"/>.</param>
    /// <param name="scenarios">How many.</param>
    /// <param name="algorithms">Names; the others are compared with the first.</param>
    /// <param name="seeds">Runs of each algorithm in each scenario: 2 or more, as the intervals come from them.</param>
    /// <param name="firstSeed">First seed.</param>
    /// <param name="requests">Requests in a run; null for the scenarios' own.</param>
    /// <param name="progress">Called with the part that is done.</param>
    public static IReadOnlyList<TournamentRound> Play(
        string family, int scenarios, IReadOnlyList<string> algorithms, int seeds, ulong firstSeed = 1, int? requests = null, Action<double>? progress = null)
    {
        var rounds = new TournamentRound[scenarios];
        for (int i = 0; i < scenarios; i++)
        {
            Scenario scenario = RandomScenario.Draw(family, (uint)i + 1);
            if (requests is { } count) scenario.Requests = count;
            int done = i;
            ExperimentResult result = Experiment.Run(scenario, algorithms, seeds, firstSeed, part => progress?.Invoke((done + part) / scenarios));
            AlgorithmResult first = result.Algorithms[0];
            rounds[i] = new TournamentRound(scenario, [.. result.Algorithms.Skip(1).Select(other => Compare(other, first))]);
        }
        return rounds;
    }

    private static TournamentScore Compare(AlgorithmResult mine, AlgorithmResult other)
    {
        Estimate Of(Func<RunResult, RunResult, double> difference) => Estimate.Of([.. mine.Runs.Zip(other.Runs, difference)]);
        return new TournamentScore(mine.Name,
            Of((a, b) => a.Latency.Quantile(0.99) / Math.Max(1, b.Latency.Quantile(0.99)) - 1),
            Of((a, b) => a.Latency.Mean / Math.Max(1, b.Latency.Mean) - 1),
            Of((a, b) => a.ErrorShare - b.ErrorShare));
    }
}

/// <summary>One scenario of a tournament.</summary>
/// <param name="Scenario">What was simulated.</param>
/// <param name="Scores">Of all algorithms but the first, in order.</param>
public sealed record TournamentRound(Scenario Scenario, IReadOnlyList<TournamentScore> Scores);

/// <summary>An algorithm against the first one, from differences seed by seed: what is less than 0 is better.</summary>
/// <param name="Algorithm">Its name.</param>
/// <param name="P99">99th percentile, as a part of the first one's.</param>
/// <param name="Mean">Mean latency, as a part of the first one's.</param>
/// <param name="Errors">Errors per request.</param>
public sealed record TournamentScore(string Algorithm, Estimate P99, Estimate Mean, Estimate Errors);
