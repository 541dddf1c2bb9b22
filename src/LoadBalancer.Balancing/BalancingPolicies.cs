namespace LoadBalancer.Balancing;

/// <summary>Policies by the name a configuration gives them.</summary>
public static class BalancingPolicies
{
    private static readonly (string Name, Func<IBalancingPolicy> Make)[] s_policies =
    [
        ("latency-weighted", () => new LatencyWeightedPolicy()),
        ("round-robin", () => new RoundRobinPolicy()),
        ("random", () => new RandomPolicy()),
        ("least-outstanding", () => new LeastOutstandingPolicy()),
        ("power-of-two", () => new PowerOfTwoPolicy()),
        ("peak-ewma", () => new PeakEwmaPolicy()),
        ("least-time", () => new LeastTimePolicy()),
        ("consistent-hash", () => new ConsistentHashPolicy()),
        ("rendezvous", () => new RendezvousPolicy()),
        ("first", () => new FirstPolicy()),
        ("prequal", () => new PrequalPolicy()),
    ];

    /// <summary>All names.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. s_policies.Select(policy => policy.Name)];

    /// <summary>The policy with default settings.</summary>
    /// <exception cref="ArgumentException">No policy has that name.</exception>
    public static IBalancingPolicy Create(string name)
    {
        foreach ((string known, Func<IBalancingPolicy> make) in s_policies)
            if (known == name) return make();
        throw new ArgumentException($"no balancing policy is called '{name}'; there are {string.Join(", ", Names)}", nameof(name));
    }
}
