namespace LoadBalancer.Simulation;

/// <summary>Logarithm and exponential with the same bits on every system, so that a run repeats anywhere; the C libraries' differ in the last.</summary>
internal static class PortableMath
{
    private const double Ln2 = 0.69314718055994531;

    /// <summary>Natural logarithm of a normal positive number; relative error below 1e-13.</summary>
    internal static double Log(double x)
    {
        long bits = BitConverter.DoubleToInt64Bits(x);
        long exponent = (bits - 0x3FE6A09E667F3BCD) >> 52; // mantissa in [√½, √2)
        double m = BitConverter.Int64BitsToDouble(bits - (exponent << 52));
        double t = (m - 1) / (m + 1), t2 = t * t; // ln m = 2 artanh t, |t| < 0.172
        double series = 1.0 / 17;
        for (int n = 15; n >= 1; n -= 2) series = series * t2 + 1.0 / n;
        return exponent * Ln2 + 2 * t * series;
    }

    /// <summary>e^x for |x| up to 700; relative error below 1e-13.</summary>
    internal static double Exp(double x)
    {
        double whole = Math.Floor(x / Ln2 + 0.5);
        double r = x - whole * Ln2; // |r| ≤ ½ ln 2: Taylor
        double series = 1;
        for (int n = 13; n >= 1; n--) series = 1 + series * r / n;
        return series * BitConverter.Int64BitsToDouble(((long)whole + 1023) << 52);
    }
}
