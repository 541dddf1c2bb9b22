using LoadBalancer.Balancing;

namespace LoadBalancer.Simulation.Engine;

/// <summary>
/// What a server that is probed says: how many requests it works on, and what latency that means, as the median of the last few scaled
/// from the load they met to the present one. The paper (Wydrowski et al., NSDI 2024) takes the median of those that came at about the
/// present load and does not say what about means; without scaling, a server that was flooded once and is idle now looks slow for ever.
/// </summary>
internal sealed class ProbeEndpoint(int cores)
{
    private const int Kept = 5;
    private readonly double[] _alone = new double[Kept]; // latency over the slowdown that the load makes
    private int _next, _count;

    /// <summary>A request was answered that found so many others here when it came.</summary>
    internal void Record(int inFlight, long latency)
    {
        _alone[_next] = latency / Slowdown(inFlight);
        _next = (_next + 1) % Kept;
        _count = Math.Min(Kept, _count + 1);
    }

    internal ProbeResult Answer(int inFlight)
    {
        if (_count == 0) return new ProbeResult(inFlight, 0);
        Span<double> sorted = stackalloc double[Kept];
        _alone.CopyTo(sorted);
        sorted[.._count].Sort();
        return new ProbeResult(inFlight, (long)(sorted[_count / 2] * Slowdown(inFlight)));
    }

    private double Slowdown(int inFlight) => Math.Max(1, (inFlight + 1.0) / cores);
}
