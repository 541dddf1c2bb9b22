using System.Text;
using LoadBalancer.Simulation.Results;

namespace LoadBalancer.Simulation.Reports;

/// <summary>An experiment as a table for the terminal. Times in milliseconds.</summary>
public static class TextReport
{
    private static readonly (string Name, double Quantile)[] s_quantiles = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)];

    private const double TieMax = 0.05; // an interval wider than this says that more seeds are needed, not that two are equal

    /// <summary>The table, with a line above on what was simulated.</summary>
    public static string Write(ExperimentResult result)
    {
        string[] head = ["algorithm", .. s_quantiles.Select(q => q.Name), "mean", "errors %", "imbalance", "p99 vs best"];
        var rows = new List<string[]> { head };
        foreach (AlgorithmResult algorithm in result.Algorithms)
        {
            rows.Add(
            [
                algorithm.Name,
                .. s_quantiles.Select(q => Text(algorithm.Quantile(q.Quantile).Times(1e-6))),
                Text(algorithm.Mean.Times(1e-6)), Text(algorithm.ErrorShare.Times(100)), Text(algorithm.Imbalance),
                Versus(algorithm, result),
            ]);
        }
        var text = new StringBuilder();
        text.AppendLine(Heading(result));
        text.AppendLine();
        int[] widths = [.. Enumerable.Range(0, head.Length).Select(column => rows.Max(row => row[column].Length))];
        foreach (string[] row in rows)
            text.AppendLine(string.Join("  ", row.Select((cell, column) => column == 0 ? cell.PadRight(widths[0]) : cell.PadLeft(widths[column]))).TrimEnd());
        return text.ToString();
    }

    /// <summary>What was simulated, in a line.</summary>
    internal static string Heading(ExperimentResult result)
    {
        int seeds = result.Algorithms.Count == 0 ? 0 : result.Algorithms[0].Runs.Count;
        long requests = result.Algorithms.Count == 0 ? 0 : result.Algorithms[0].Runs[0].Requests;
        string plural = seeds == 1 ? "seed" : "seeds, 95 % confidence intervals";
        return $"{result.Scenario.Name}: {result.Scenario.Description}{(result.Scenario.Description.Length > 0 ? ". " : "")}{requests} requests x {seeds} {plural}; load {result.Scenario.OfferedLoad:0.00}; times in ms";
    }

    /// <summary>How an algorithm compares with the best: the difference and, where its interval contains 0, what that means.</summary>
    internal static string Versus(AlgorithmResult algorithm, ExperimentResult result)
    {
        if (ReferenceEquals(algorithm, result.Best)) return "best";
        if (algorithm.P99OverBest is not { } over) return "";
        string percent = $"{over.Mean * 100:+0.0;-0.0}%";
        if (!(Math.Abs(over.Mean) <= over.HalfWidth)) return percent;
        return over.HalfWidth <= TieMax ? $"{percent} tie" : $"{percent} unclear";
    }

    /// <summary>A number with its interval, both to the digits that matter.</summary>
    internal static string Text(Estimate estimate)
    {
        string format = Math.Abs(estimate.Mean) switch { >= 100 => "0", >= 10 => "0.0", _ => "0.00" };
        string mean = estimate.Mean.ToString(format);
        return double.IsNaN(estimate.HalfWidth) ? mean : $"{mean} ±{estimate.HalfWidth.ToString(format)}";
    }
}
