using LoadBalancer.Core.Policies;

namespace LoadBalancer.Core.Configuration;

/// <summary>Checks <see cref="ProxyConfig.Policies"/>, and what routes say of them.</summary>
internal static class PolicyValidator
{
    private const int PoliciesMax = 32;

    internal static void Validate(ProxyConfig config, ProblemList problems)
    {
        foreach ((string name, PolicyConfig policy) in config.Policies)
        {
            string path = ConfigPath.Member("policies", name);
            problems.Name(path, name, "policy");
            policy.Validate(new PolicyProblems(problems, policy is CustomPolicyConfig ? path : $"{path}.{policy.Kind}", config));
        }
        problems.Range("", "policyBodyBytesMax", config.PolicyBodyBytesMax, ConfigRanges.PolicyBodyBytesMax);
    }

    /// <summary>The policies that a route names.</summary>
    internal static void Route(ProxyConfig config, string path, RouteConfig route, ProblemList problems)
    {
        problems.Range(path, "policyTimeout", route.PolicyTimeout, ConfigRanges.PolicyTimeout);
        if (route.Policies.Count > PoliciesMax) problems.Add($"{path}.policies", $"names {route.Policies.Count} policies; expected at most {PoliciesMax}");
        for (int i = 0; i < route.Policies.Count; i++)
        {
            string name = route.Policies[i];
            string item = ConfigPath.Item($"{path}.policies", i);
            if (!config.Policies.ContainsKey(name)) problems.Add(item, $"there is no policy {CharacterText.Quote(name)}{Suggestion.Text(name, [.. config.Policies.Keys])}");
            else if (route.Policies.Take(i).Contains(name)) problems.Add(item, $"{CharacterText.Quote(name)} is given twice");
        }
        // Before any policy has verified who a request is from, it is from nobody.
        foreach (string limit in route.Limits.Keys)
        {
            if (route.Policies.Count == 0 && config.Limits.TryGetValue(limit, out LimitConfig? found) && found.Key.Any(part => part.StartsWith("claim:", StringComparison.Ordinal)))
                problems.Add(ConfigPath.Member($"{path}.limits", limit), "counts by a claim, but the route has no policy that verifies who requests are from");
        }
    }
}
