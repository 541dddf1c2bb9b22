namespace LoadBalancer.Simulation.Results;

/// <summary>A mean over independent runs with its 95 % confidence interval (Student's t).</summary>
/// <param name="Mean">Mean over the runs.</param>
/// <param name="HalfWidth">The true value is within the mean plus or minus this, with 95 % confidence; NaN with a single run.</param>
public readonly record struct Estimate(double Mean, double HalfWidth)
{
    // 97.5 % quantiles of Student's t for 1 to 30 degrees of freedom (Abramowitz and Stegun 1964, table 26.10).
    private static readonly double[] s_t =
    [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
        2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
    ];

    /// <summary>From one value for each run.</summary>
    public static Estimate Of(IReadOnlyList<double> values)
    {
        double mean = values.Average();
        if (values.Count < 2) return new Estimate(mean, double.NaN);
        double variance = values.Sum(value => (value - mean) * (value - mean)) / (values.Count - 1);
        double t = values.Count - 1 <= s_t.Length ? s_t[values.Count - 2] : 1.96;
        return new Estimate(mean, t * Math.Sqrt(variance / values.Count));
    }

    /// <summary>The same in another unit.</summary>
    public Estimate Times(double factor) => new(Mean * factor, HalfWidth * factor);
}
