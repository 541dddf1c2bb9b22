namespace LoadBalancer.Core.Configuration;

/// <summary>Checks a configuration as a whole: ranges, addresses, patterns, cross references. Opens no socket and asks no DNS.</summary>
public static class ConfigValidator
{
    /// <summary>All problems; empty when the configuration can be run.</summary>
    public static IReadOnlyList<ConfigProblem> Validate(ProxyConfig config) => throw new NotImplementedException();
}
