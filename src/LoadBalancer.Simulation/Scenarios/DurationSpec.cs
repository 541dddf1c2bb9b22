using System.Text.Json.Serialization;
using LoadBalancer.Simulation.Chance;

namespace LoadBalancer.Simulation.Scenarios;

/// <summary>Laws of durations.</summary>
public enum DurationKind
{
    /// <summary>Memoryless; needs <see cref="DurationSpec.Mean"/>.</summary>
    [JsonStringEnumMemberName("exponential")] Exponential,
    /// <summary>Always <see cref="DurationSpec.Mean"/>.</summary>
    [JsonStringEnumMemberName("constant")] Constant,
    /// <summary>Most services: a long, thin tail. Needs <see cref="DurationSpec.Mean"/> and <see cref="DurationSpec.Sigma"/>.</summary>
    [JsonStringEnumMemberName("lognormal")] Lognormal,
    /// <summary>A fat tail: <see cref="DurationSpec.Alpha"/>, <see cref="DurationSpec.Min"/>, <see cref="DurationSpec.Max"/>.</summary>
    [JsonStringEnumMemberName("bounded-pareto")] BoundedPareto,
    /// <summary>Mice and elephants: <see cref="DurationSpec.Common"/>, <see cref="DurationSpec.Rare"/>, <see cref="DurationSpec.RareShare"/>.</summary>
    [JsonStringEnumMemberName("bimodal")] Bimodal,
    /// <summary>One of <see cref="DurationSpec.Values"/>.</summary>
    [JsonStringEnumMemberName("empirical")] Empirical,
}

/// <summary>A law of durations with its parameters; which ones count is written at <see cref="DurationKind"/>.</summary>
public sealed class DurationSpec
{
    /// <summary>The law. Default exponential.</summary>
    public DurationKind Kind { get; set; }

    /// <summary>Expected value.</summary>
    public SimTime Mean { get; set; }

    /// <summary>Deviation of the logarithm, 0 to 4. Default 1.</summary>
    public double Sigma { get; set; } = 1;

    /// <summary>Exponent of the tail, 0.1 to 10: below 2 the tail dominates. Default 1.5.</summary>
    public double Alpha { get; set; } = 1.5;

    /// <summary>Least value.</summary>
    public SimTime Min { get; set; }

    /// <summary>Largest value.</summary>
    public SimTime Max { get; set; }

    /// <summary>The usual value.</summary>
    public SimTime Common { get; set; }

    /// <summary>The other value.</summary>
    public SimTime Rare { get; set; }

    /// <summary>Part of the draws that gives the rare value. Default 0.02.</summary>
    public double RareShare { get; set; } = 0.02;

    /// <summary>Measured values.</summary>
    public List<SimTime> Values { get; set; } = [];

    internal Distribution Build() => Kind switch
    {
        DurationKind.Constant => new Constant(Mean.Nanoseconds),
        DurationKind.Lognormal => new Lognormal(Mean.Nanoseconds, Sigma),
        DurationKind.BoundedPareto => new BoundedPareto(Alpha, Min.Nanoseconds, Max.Nanoseconds),
        DurationKind.Bimodal => new Bimodal(Common.Nanoseconds, Rare.Nanoseconds, RareShare),
        DurationKind.Empirical => new Empirical([.. Values.Select(value => value.Nanoseconds)]),
        _ => new Exponential(Mean.Nanoseconds),
    };
}
