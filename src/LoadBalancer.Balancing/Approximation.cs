using System.Runtime.CompilerServices;

namespace LoadBalancer.Balancing;

/// <summary>
/// Logarithm and exponential from a table and a few additions and multiplications: a fraction of the library's cost, and the same bits on
/// every machine, so that a simulation repeats anywhere.
/// </summary>
internal static class Approximation
{
    private const float Ln2 = 0.6931472f;
    private const int TableBits = 5;
    private static readonly (float Inverse, float Log)[] s_parts = MakeParts(); // of the middle of each part of [1, 2)
    private static readonly float[] s_logs = MakeLogs();

    // What the hot path calls is inlined by attribute: the native compiler has no profile to decide by (100 ns a pick without, 74 with).
    /// <summary>Natural logarithm of a normal positive number; error below 1e-6, or below that part of the result.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float Log(float x)
    {
        int bits = BitConverter.SingleToInt32Bits(x);
        float exponent = (bits >> 23) - 127;
        (float inverse, float log) = s_parts[(bits >> (23 - TableBits)) & ((1 << TableBits) - 1)];
        float mantissa = BitConverter.Int32BitsToSingle((bits & 0x7FFFFF) | 0x3F800000);
        float r = mantissa * inverse - 1; // |r| ≤ 1/64: Taylor
        return exponent * Ln2 + log + r * (1 - r * (1f / 2 - r * (1f / 3)));
    }

    /// <summary>Natural logarithm of a whole number from 1 on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float Log(int x) => (uint)x < (uint)s_logs.Length ? s_logs[x] : Log((float)x);

    /// <summary>Whether <see cref="Log(float)"/> of a number is certainly below a bound: the exponent alone shows it.</summary>
    internal static bool IsLogBelow(float x, float bound) => ((BitConverter.SingleToInt32Bits(x) >> 23) - 126) * Ln2 < bound;

    /// <summary>e^-x for x ≥ 0; relative error below 5e-6, 0 from 87 on.</summary>
    internal static float ExpOfMinus(float x)
    {
        if (!(x < 87)) return 0;
        float y = x * -1.442695f; // as a power of 2
        int whole = (int)(y - 0.5f);
        float f = (y - whole) * Ln2; // |f| ≤ ½ ln 2: Taylor
        float power = 1 + f * (1 + f * (1f / 2 + f * (1f / 6 + f * (1f / 24 + f * (1f / 120)))));
        return power * BitConverter.Int32BitsToSingle((whole + 127) << 23);
    }

    private static (float, float)[] MakeParts()
    {
        var parts = new (float, float)[1 << TableBits];
        for (int i = 0; i < parts.Length; i++)
        {
            double middle = 1 + (i + 0.5) / parts.Length;
            parts[i] = ((float)(1 / middle), (float)Series(middle));
        }
        return parts;
    }

    private static float[] MakeLogs()
    {
        float[] logs = new float[1024];
        for (int i = 1; i < logs.Length; i++)
        {
            double mantissa = i;
            int exponent = 0;
            for (; mantissa >= 2; mantissa /= 2) exponent++;
            logs[i] = (float)(exponent * 0.69314718055994531 + Series(mantissa));
        }
        return logs;
    }

    // ln x = 2 artanh ((x - 1) / (x + 1)), for x from 1 to 2.
    private static double Series(double x)
    {
        double t = (x - 1) / (x + 1), term = t, sum = 0;
        for (int n = 1; n < 40; n += 2, term *= t * t) sum += term / n;
        return 2 * sum;
    }
}
