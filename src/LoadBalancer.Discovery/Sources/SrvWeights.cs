using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Discovery.Sources;

/// <summary>Weights of SRV records of one priority (0 to 65535) as weights of destinations (1 to 1000).</summary>
internal static class SrvWeights
{
    /// <summary>
    /// In proportion, as near as whole numbers come; a 0 gets the least that there is (RFC 2782: "very small chances"), which the others are scaled up against. All 0: all equal.
    /// </summary>
    internal static int[] Scale(ushort[] weights)
    {
        int largest = weights.Max();
        if (largest == 0) return [.. weights.Select(_ => 1)];
        int max = (int)ConfigRanges.Weight.Max;
        bool fits = largest <= max && !weights.Contains((ushort)0);
        return [.. weights.Select(w => fits ? w : Math.Max(1, (int)Math.Round((double)w * max / largest)))];
    }
}
