namespace LoadBalancer.Simulation.Chance;

/// <summary>A law of durations, in nanoseconds.</summary>
internal abstract class Distribution
{
    /// <summary>Expected value.</summary>
    internal abstract double Mean { get; }

    /// <summary>One draw; never negative.</summary>
    internal abstract double Next(SimRandom random);
}

internal sealed class Constant(double value) : Distribution
{
    internal override double Mean => value;

    internal override double Next(SimRandom random) => value;
}

internal sealed class Exponential(double mean) : Distribution
{
    internal override double Mean => mean;

    internal override double Next(SimRandom random) => mean * random.NextExponential();
}

/// <summary>e to the power of a normal variable of deviation sigma.</summary>
internal sealed class Lognormal(double mean, double sigma) : Distribution
{
    private readonly double _mu = PortableMath.Log(mean) - sigma * sigma / 2;

    internal override double Mean => mean;

    internal override double Next(SimRandom random) => PortableMath.Exp(_mu + sigma * random.NextNormal());
}

/// <summary>Pareto with exponent alpha, cut to a range (Harchol-Balter 2013, section 20.3).</summary>
internal sealed class BoundedPareto(double alpha, double min, double max) : Distribution
{
    private readonly double _tail = 1 - PortableMath.Pow(min / max, alpha);

    internal override double Mean => alpha == 1
        ? min / _tail * PortableMath.Log(max / min)
        : min * alpha / (alpha - 1) / _tail * (1 - PortableMath.Pow(min / max, alpha - 1));

    internal override double Next(SimRandom random) => min * PortableMath.Pow(1 - random.NextDouble() * _tail, -1 / alpha);
}

/// <summary>Mostly one value, seldom another.</summary>
internal sealed class Bimodal(double common, double rare, double rareShare) : Distribution
{
    internal override double Mean => common + (rare - common) * rareShare;

    internal override double Next(SimRandom random) => random.NextDouble() <= rareShare ? rare : common;
}

/// <summary>One of the measured values, each with equal chance.</summary>
internal sealed class Empirical(double[] values) : Distribution
{
    internal override double Mean { get; } = values.Average();

    internal override double Next(SimRandom random) => values[random.Next(values.Length)];
}
