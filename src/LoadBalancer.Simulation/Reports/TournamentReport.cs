using System.Text;
using LoadBalancer.Simulation.Results;

namespace LoadBalancer.Simulation.Reports;

/// <summary>A tournament as tables for the terminal.</summary>
public static class TournamentReport
{
    /// <summary>A line for each scenario, then one for each algorithm.</summary>
    /// <param name="rounds">At least one.</param>
    /// <param name="first">The algorithm that the others are compared with.</param>
    public static string Write(IReadOnlyList<TournamentRound> rounds, string first)
    {
        var text = new StringBuilder();
        text.AppendLine($"p99 over that of {first}, in %, with 95 % confidence intervals of the differences seed by seed");
        text.AppendLine();
        string[] names = [.. rounds[0].Scores.Select(score => score.Algorithm)];
        int width = Math.Max(12, names.Max(name => name.Length));
        text.AppendLine($"{"",-20}  {string.Join("  ", names.Select(name => name.PadLeft(width)))}");
        foreach (TournamentRound round in rounds)
        {
            string cells = string.Join("  ", round.Scores.Select(score => Signed(score.P99).PadLeft(width)));
            text.AppendLine($"{round.Scenario.Name,-20}  {cells}  load {round.Scenario.OfferedLoad:0.00}, {round.Scenario.Description}");
        }
        text.AppendLine();
        text.AppendLine($"{"all scenarios",-28}{"p99",8}{"mean",8}{"errors",8}   p99 lower, the same, higher");
        for (int i = 0; i < names.Length; i++)
        {
            TournamentScore[] scores = [.. rounds.Select(round => round.Scores[i])];
            int lower = scores.Count(score => score.P99.Mean + score.P99.HalfWidth < 0), higher = scores.Count(score => score.P99.Mean - score.P99.HalfWidth > 0);
            text.AppendLine($"{names[i],-28}{Percent(scores.Average(s => s.P99.Mean)),8}{Percent(scores.Average(s => s.Mean.Mean)),8}{Percent(scores.Average(s => s.Errors.Mean)),8}   {lower}, {scores.Length - lower - higher}, {higher}");
        }
        return text.ToString();
    }

    private static string Signed(Estimate part) => $"{part.Mean * 100:+0.0;-0.0;0.0} ±{part.HalfWidth * 100:0.0}";

    private static string Percent(double part) => $"{part * 100:+0.0;-0.0;0.0}%";
}
