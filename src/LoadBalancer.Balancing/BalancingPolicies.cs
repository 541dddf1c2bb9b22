namespace LoadBalancer.Balancing;

/// <summary>Policies by the name a configuration gives them: those of this library, and those that the process has added. Thread-safe.</summary>
public static class BalancingPolicies
{
    private static readonly Lock s_adding = new();

    // Replaced as a whole, so that readers need no lock.
    private static volatile (string Name, Func<IBalancingPolicy> Make)[] s_policies =
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

    /// <summary>Names of the policies of this library.</summary>
    public static IReadOnlyList<string> BuiltIn { get; } = Names;

    /// <summary>All names at this time.</summary>
    public static IReadOnlyList<string> Names => [.. s_policies.Select(policy => policy.Name)];

    /// <summary>
    /// Adds a policy of one's own, which configurations may name from then on: in code, in files, and when these are read again. For the whole process, as a name is to
    /// mean the same wherever it is read; so once, before the first configuration.
    /// </summary>
    /// <param name="name">As configurations write it: small letters, digits and hyphens, as in "least-outstanding".</param>
    /// <param name="make">Makes the policy for each cluster that names it.</param>
    /// <exception cref="ArgumentException">The name is taken, or of another form.</exception>
    public static void Add(string name, Func<IBalancingPolicy> make)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(make);
        if (name.Length == 0 || !char.IsAsciiLetterLower(name[0]) || name.Any(c => !char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c != '-'))
            throw new ArgumentException($"'{name}' cannot be the name of a balancing policy; expected small letters, digits and hyphens, as in 'least-outstanding'", nameof(name));
        lock (s_adding)
        {
            if (s_policies.Any(policy => policy.Name == name)) throw new ArgumentException($"there is a balancing policy called '{name}' already", nameof(name));
            s_policies = [.. s_policies, (name, make)];
        }
    }

    /// <summary>The policy with default settings.</summary>
    /// <exception cref="ArgumentException">No policy has that name.</exception>
    public static IBalancingPolicy Create(string name)
    {
        foreach ((string known, Func<IBalancingPolicy> make) in s_policies)
            if (known == name) return make();
        throw new ArgumentException($"no balancing policy is called '{name}'; there are {string.Join(", ", Names)}", nameof(name));
    }
}
