using LoadBalancer.Simulation.Chance;
using LoadBalancer.Simulation.Scenarios;

namespace LoadBalancer.Simulation.Engine;

/// <summary>
/// What one balancer knows of how long requests of each class take, beside the average one: means of logarithms. Taken off a latency before
/// an algorithm is told it, destinations are compared as if all had the same mix of requests.
/// </summary>
internal sealed class ClassMeans
{
    private const double Gain = 1.0 / 200; // of one sample; before there are so many, their plain mean
    private const int All = Scenario.ClassesMax;
    private readonly double[] _means = new double[Scenario.ClassesMax + 1];
    private readonly int[] _samples = new int[Scenario.ClassesMax + 1];

    /// <summary>The latency that an average request would have had, in ns; learns from this one.</summary>
    internal long Normalize(int kind, long latency)
    {
        double logarithm = PortableMath.Log(Math.Max(1, latency)), normal = logarithm - _means[kind] + _means[All];
        bool isKnown = _samples[kind] > 0;
        Move(kind, logarithm);
        Move(All, logarithm);
        return isKnown ? (long)PortableMath.Exp(Math.Min(normal, 42)) : latency; // e^42 ns is half a century
    }

    private void Move(int kind, double logarithm) => _means[kind] += Math.Max(Gain, 1.0 / ++_samples[kind]) * (logarithm - _means[kind]);
}
