namespace LoadBalancer.Simulation.Chance;

/// <summary>
/// Logarithm and exponential in plain IEEE arithmetic, so that a seed gives the same result hash on every machine: those of
/// <see cref="Math"/> call the platform's C library, whose last bit differs between systems. Algorithms and constants are fdlibm's
/// (Sun Microsystems 1993: e_log.c, e_exp.c); errors are below 1 unit in the last place. The compiler contracts nothing to fused
/// multiply-adds by itself.
/// </summary>
internal static class PortableMath
{
    private const double Ln2High = 6.93147180369123816490e-01, Ln2Low = 1.90821492927058770002e-10;

    /// <summary>Natural logarithm of a positive normal number.</summary>
    internal static double Log(double x)
    {
        // x = 2^k * (1 + f), with 1 + f between half the root of 2 and the root of 2.
        long bits = BitConverter.DoubleToInt64Bits(x);
        int high = (int)(bits >> 32) + (0x3FF00000 - 0x3FE6A09E);
        int k = (high >> 20) - 0x3FF;
        high = (high & 0x000FFFFF) + 0x3FE6A09E;
        double f = BitConverter.Int64BitsToDouble(((long)high << 32) | (bits & 0xFFFFFFFF)) - 1;

        double half = 0.5 * f * f, s = f / (2 + f), z = s * s, w = z * z;
        double odd = w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01));
        double even = z * (6.666666666666735130e-01 + w * (2.857142874366239149e-01 + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)));
        return s * (half + odd + even) + k * Ln2Low - half + f + k * Ln2High;
    }

    /// <summary>e^x, for x between -700 and 700.</summary>
    internal static double Exp(double x)
    {
        int k = (int)(1.44269504088896338700 * x + (x < 0 ? -0.5 : 0.5));
        double high = x - k * Ln2High, low = k * Ln2Low, r = high - low, square = r * r;
        double c = r - square * (1.66666666666666019037e-01 + square * (-2.77777777770155933842e-03
            + square * (6.61375632143793436117e-05 + square * (-1.65339022054652515390e-06 + square * 4.13813679705723846039e-08))));
        double y = 1 + (r * c / (2 - c) - low + high);
        return BitConverter.Int64BitsToDouble(BitConverter.DoubleToInt64Bits(y) + ((long)k << 52));
    }

    /// <summary>x^y for positive x.</summary>
    internal static double Pow(double x, double y) => Exp(y * Log(x));
}
