using LoadBalancer.Balancing;

namespace LoadBalancer.Simulation;

/// <summary>What a name among the simulator's algorithms stands for.</summary>
/// <param name="Policy">The policy that picks.</param>
/// <param name="IsByClass">Whether it is told latencies with the mean of the request's class taken off.</param>
internal sealed record Algorithm(IBalancingPolicy Policy, bool IsByClass = false)
{
    /// <summary>The flagship, told latencies by class: a variant that did not win, kept so that this can be checked. Only here.</summary>
    internal const string ByClassName = "latency-weighted-by-class";

    /// <exception cref="ArgumentException">There is none of that name.</exception>
    internal static Algorithm Of(string name) => name switch
    {
        OraclePolicy.PolicyName => new(new OraclePolicy()),
        ByClassName => new(new LatencyWeightedPolicy(), IsByClass: true),
        _ => new(BalancingPolicies.Create(name)),
    };
}
