namespace LoadBalancer.Simulation.Results;

/// <summary>All runs of one algorithm in a scenario, one for each seed.</summary>
public sealed class AlgorithmResult
{
    internal AlgorithmResult(string name, IReadOnlyList<RunResult> runs)
    {
        Name = name;
        Runs = runs;
        foreach (RunResult run in runs) Latency.Add(run.Latency);
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>One for each seed, in order.</summary>
    public IReadOnlyList<RunResult> Runs { get; }

    /// <summary>Latencies of all runs together.</summary>
    public LatencyHistogram Latency { get; } = new();

    /// <summary>Mean latency in nanoseconds.</summary>
    public Estimate Mean => Of(run => run.Latency.Mean);

    /// <summary>Errors per request.</summary>
    public Estimate ErrorShare => Of(run => run.ErrorShare);

    /// <summary>See <see cref="RunResult.Imbalance"/>.</summary>
    public Estimate Imbalance => Of(run => run.Imbalance);

    /// <summary>
    /// How much larger the 99th percentile is than that of the best algorithm in the experiment, as a part of it: from the differences seed
    /// by seed, in which the chance common to both cancels out. Null for the best itself, and before it is known.
    /// </summary>
    public Estimate? P99OverBest { get; private set; }

    /// <summary>A latency quantile in nanoseconds.</summary>
    public Estimate Quantile(double quantile) => Of(run => run.Latency.Quantile(quantile));

    internal void Compare(AlgorithmResult best)
    {
        if (ReferenceEquals(best, this)) return;
        P99OverBest = Estimate.Of([.. Runs.Zip(best.Runs, (mine, other) => mine.Latency.Quantile(0.99) / Math.Max(1, other.Latency.Quantile(0.99)) - 1)]);
    }

    private Estimate Of(Func<RunResult, double> value) => Estimate.Of([.. Runs.Select(value)]);
}
