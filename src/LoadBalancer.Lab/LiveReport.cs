using System.Text;
using LoadBalancer.Simulation.Results;

namespace LoadBalancer.Lab;

/// <summary>What a live comparison has to say beyond the simulator's table.</summary>
public static class LiveReport
{
    private const double LatenessMax = 5; // ms, of the 99th percentile: a scenario of milliseconds would show little else

    /// <summary>Share of every server, retries, and how punctual the run was.</summary>
    public static string Write(LiveResult result)
    {
        IReadOnlyList<AlgorithmResult> algorithms = result.Experiment.Algorithms;
        var text = new StringBuilder();
        int width = algorithms.Max(algorithm => algorithm.Name.Length);
        string[] names = [.. algorithms[0].Runs[0].Servers.Select(server => server.Name)];
        text.AppendLine($"{"attempts, % to".PadRight(width)}  {string.Join("  ", names.Select(name => name.PadLeft(4)))}  retries");
        foreach (AlgorithmResult algorithm in algorithms)
        {
            IEnumerable<string> shares = names.Select((name, i) => $"{algorithm.Runs.Average(run => run.Servers[i].Share) * 100:0.0}".PadLeft(Math.Max(4, name.Length)));
            text.AppendLine($"{algorithm.Name.PadRight(width)}  {string.Join("  ", shares)}  {algorithm.Runs.Sum(run => run.Retries),7}");
        }
        double median = result.Lateness.Quantile(0.5) / 1e6, high = result.Lateness.Quantile(0.99) / 1e6;
        text.AppendLine();
        text.AppendLine($"Late by p50 {median:0.00} ms, p99 {high:0.00} ms, counted in: latencies are from when requests were due.");
        if (high > LatenessMax) text.AppendLine("That is much: this machine is too busy for the rate, and the tails are partly its own. A lower --rate tells more.");
        return text.ToString();
    }
}
