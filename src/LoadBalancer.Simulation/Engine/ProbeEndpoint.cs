using LoadBalancer.Balancing;

namespace LoadBalancer.Simulation.Engine;

/// <summary>
/// What a server that is probed says: how many requests it works on, and what latency that means, as the median of the last ones scaled
/// from the load they met to the present one. The paper (Wydrowski et al., NSDI 2024) takes the median of those that came at about the
/// present load and does not say what about means; without scaling, a server that was flooded once and is idle now looks slow for ever.
/// </summary>
internal sealed class ProbeEndpoint(int cores)
{
    // The median of 5 is off by half its value where services differ as usual (lognormal, sigma 1). The rule takes it for speed: it fills up
    // whoever looks fast by luck, and whoever looks slow gets nothing that would correct it. Of 64 it is off by a sixth.
    private const int Kept = 64;
    private readonly double[] _alone = new double[Kept]; // latency over the slowdown that the load makes
    private int _next, _count;
    private double _median = -1; // -1 when it is to be found anew

    /// <summary>A request was answered that found so many others here when it came.</summary>
    internal void Record(int inFlight, long latency)
    {
        _alone[_next] = latency / Slowdown(inFlight);
        _next = (_next + 1) % Kept;
        _count = Math.Min(Kept, _count + 1);
        _median = -1;
    }

    internal ProbeResult Answer(int inFlight)
    {
        if (_count == 0) return new ProbeResult(inFlight, 0);
        if (_median < 0) _median = Median();
        return new ProbeResult(inFlight, (long)(_median * Slowdown(inFlight)));
    }

    private double Median()
    {
        Span<double> sorted = stackalloc double[Kept];
        _alone.CopyTo(sorted);
        sorted[.._count].Sort();
        return sorted[_count / 2];
    }

    private double Slowdown(int inFlight) => Math.Max(1, (inFlight + 1.0) / cores);
}
