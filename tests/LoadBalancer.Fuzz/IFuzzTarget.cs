namespace LoadBalancer.Fuzz;

/// <summary>A parser with what must hold for it.</summary>
internal interface IFuzzTarget
{
    /// <summary>Name on the command line, and of its folder of samples.</summary>
    string Name { get; }

    /// <summary>
    /// Feeds it one input. Returns a description of how it behaved (verdict and shape, no content): an input with a new one is kept and mutated
    /// further, which leads into the corners without an instrumented build.
    /// </summary>
    /// <exception cref="FuzzException">Something that must hold does not.</exception>
    string Run(byte[] input, Random random, bool isThorough);
}

/// <summary>What must hold for every input does not hold for this one.</summary>
internal sealed class FuzzException(string message) : Exception(message)
{
    internal static void ThrowUnlessSame(string what, string expected, string actual)
    {
        if (expected != actual) throw new FuzzException($"{what}\n  expected: {expected}\n  actual:   {actual}");
    }
}
