using LoadBalancer.Balancing;

namespace LoadBalancer.Simulation;

/// <summary>A law of times, in seconds.</summary>
public abstract record Distribution
{
    /// <summary>Expected value.</summary>
    public abstract double Mean { get; }

    /// <summary>Draws one.</summary>
    public abstract double Next(PickRandom random);
}

/// <summary>Always the same.</summary>
public sealed record Constant(double Value) : Distribution
{
    /// <inheritdoc/>
    public override double Mean => Value;

    /// <inheritdoc/>
    public override double Next(PickRandom random) => Value;
}

/// <summary>Without memory: gaps of a Poisson process.</summary>
public sealed record Exponential(double MeanSeconds) : Distribution
{
    /// <inheritdoc/>
    public override double Mean => MeanSeconds;

    /// <inheritdoc/>
    public override double Next(PickRandom random) => -PortableMath.Log(1 - random.NextDouble()) * MeanSeconds;
}

/// <summary>Its logarithm is normal with standard deviation <paramref name="Sigma"/>: what service times most often look like.</summary>
public sealed record Lognormal(double MeanSeconds, double Sigma) : Distribution
{
    private readonly double _mu = PortableMath.Log(MeanSeconds) - Sigma * Sigma / 2;

    /// <inheritdoc/>
    public override double Mean => MeanSeconds;

    /// <inheritdoc/>
    public override double Next(PickRandom random)
    {
        // Marsaglia's polar method; the second number is not kept, so that a request always takes the same place in the stream.
        while (true)
        {
            double x = 2 * random.NextDouble() - 1, y = 2 * random.NextDouble() - 1, s = x * x + y * y;
            if (s is >= 1 or 0) continue;
            return PortableMath.Exp(_mu + Sigma * x * Math.Sqrt(-2 * PortableMath.Log(s) / s));
        }
    }
}

/// <summary>Mostly one value, now and then a larger one.</summary>
/// <param name="Usual">The one.</param>
/// <param name="Rare">The other.</param>
/// <param name="RareChance">Chance of the other, 0 to 1.</param>
public sealed record Bimodal(double Usual, double Rare, double RareChance) : Distribution
{
    /// <inheritdoc/>
    public override double Mean => Usual + RareChance * (Rare - Usual);

    /// <inheritdoc/>
    public override double Next(PickRandom random) => random.NextDouble() < RareChance ? Rare : Usual;
}

/// <summary>Pareto between two bounds: few requests are most of the work.</summary>
/// <param name="Alpha">Tail exponent, above 0, not 1.</param>
/// <param name="Min">Least value.</param>
/// <param name="Max">Largest value.</param>
public sealed record BoundedPareto(double Alpha, double Min, double Max) : Distribution
{
    private static double Power(double x, double exponent) => PortableMath.Exp(exponent * PortableMath.Log(x));

    /// <inheritdoc/>
    public override double Mean =>
        Power(Min, Alpha) / (1 - Power(Min / Max, Alpha)) * Alpha / (Alpha - 1) * (Power(Min, 1 - Alpha) - Power(Max, 1 - Alpha));

    /// <inheritdoc/>
    public override double Next(PickRandom random) =>
        Min / Power(1 - random.NextDouble() * (1 - Power(Min / Max, Alpha)), 1 / Alpha);
}
