using LoadBalancer.Balancing;
using LoadBalancer.Core.Forwarding;

namespace LoadBalancer.Core.Configuration;

/// <summary>Checks <see cref="ClusterConfig"/>.</summary>
internal static class ClusterValidator
{
    internal static void Validate(ProxyConfig config, ProblemList problems)
    {
        foreach ((string name, ClusterConfig cluster) in config.Clusters)
        {
            string path = ConfigPath.Member("clusters", name);
            problems.Name(path, name, "cluster");
            Destinations($"{path}.destinations", cluster.Destinations, problems);
            if (cluster.Tls is { } tls) UpstreamTlsValidator.Validate($"{path}.tls", tls, problems);
            if (Array.IndexOf(ConfigRanges.BalancePolicies, cluster.Balance) < 0)
                problems.Add($"{path}.balance", $"there is no policy {CharacterText.Quote(cluster.Balance)}{Suggestion.Text(cluster.Balance, ConfigRanges.BalancePolicies)}");
            bool hashes = Array.IndexOf(ConfigRanges.HashPolicies, cluster.Balance) >= 0;
            if (hashes && cluster.HashOn is null)
                problems.Add($"{path}.hashOn", $"{cluster.Balance} needs to know what to hash; expected one of {string.Join(", ", HashSource.Examples)}");
            else if (!hashes && cluster.HashOn is not null && BalancingPolicies.BuiltIn.Contains(cluster.Balance)) // one that a program has added may hash
                problems.Add($"{path}.hashOn", $"has no effect with \"balance\": \"{cluster.Balance}\"; it is for {string.Join(" and ", ConfigRanges.HashPolicies)}");
            else if (cluster.HashOn is { } hashOn && !HashSource.TryParse(hashOn, out _))
                problems.Add($"{path}.hashOn", $"{CharacterText.Quote(hashOn)} is nothing to hash; expected one of {string.Join(", ", HashSource.Examples)}");
            if (cluster.Sticky is { } sticky) StickyValidator.Validate($"{path}.sticky", sticky, problems);
            if (cluster.Host is not ("client" or "destination") && !HostName.IsValidAuthority(cluster.Host))
                problems.Add($"{path}.host", $"{CharacterText.Quote(cluster.Host)} is no host; expected \"client\", \"destination\" or a fixed value such as \"example.com\"");
            problems.Range(path, "connectTimeout", cluster.ConnectTimeout, ConfigRanges.ConnectTimeout);
            problems.Range(path, "responseHeadTimeout", cluster.ResponseHeadTimeout, ConfigRanges.ResponseHeadTimeout);
            problems.Range(path, "idleTimeout", cluster.IdleTimeout, ConfigRanges.ClusterIdleTimeout);
            problems.Range(path, "tunnelIdleTimeout", cluster.TunnelIdleTimeout, ConfigRanges.TunnelIdleTimeout);
            problems.Range(path, "responseHeadBytesMax", cluster.ResponseHeadBytesMax, ConfigRanges.ResponseHeadBytesMax);
            problems.Range(path, "responseHeaderCountMax", cluster.ResponseHeaderCountMax, ConfigRanges.ResponseHeaderCountMax);
            problems.Range(path, "retriesMax", cluster.RetriesMax, ConfigRanges.RetriesMax);
            problems.Range($"{path}.pool", "idleConnectionsMax", cluster.Pool.IdleConnectionsMax, ConfigRanges.IdleConnectionsMax);
            problems.Range($"{path}.pool", "idleTimeout", cluster.Pool.IdleTimeout, ConfigRanges.PoolIdleTimeout);
            problems.Range($"{path}.pool", "lifeMax", cluster.Pool.LifeMax, ConfigRanges.PoolLifeMax);
            problems.Range($"{path}.pool", "connectionsMax", cluster.Pool.ConnectionsMax, ConfigRanges.PoolConnectionsMax);
            DiscoverValidator.Validate(path, cluster, problems);
            FleetValidator.Validate(path, cluster, problems);
        }
    }

    /// <summary>The problems of a list of destinations that comes while running.</summary>
    internal static IReadOnlyList<ConfigProblem> ValidateDestinations(string clusterPath, IReadOnlyDictionary<string, DestinationConfig> destinations)
    {
        var problems = new ProblemList();
        Destinations($"{clusterPath}.destinations", destinations, problems);
        return problems.Problems;
    }

    private static void Destinations(string path, IReadOnlyDictionary<string, DestinationConfig> destinations, ProblemList problems)
    {
        // None at all is allowed and answers 503: the file reader asks for the key, so that it is none on purpose.
        foreach ((string name, DestinationConfig destination) in destinations)
        {
            string item = ConfigPath.Member(path, name);
            problems.Name(item, name, "destination");
            Destination(item, destination, problems);
        }
    }

    /// <summary>The problems of one destination, its name aside; paths begin with its own fields.</summary>
    internal static IReadOnlyList<ConfigProblem> ValidateDestination(DestinationConfig destination)
    {
        var problems = new ProblemList();
        Destination("", destination, problems);
        return problems.Problems;
    }

    private static void Destination(string path, DestinationConfig destination, ProblemList problems)
    {
        if (!AddressParser.TryParseDestination(destination.Address, out _, out _, out string? error))
            problems.Add(ConfigPath.Member(path, "address"), $"{CharacterText.Quote(destination.Address)} {error}");
        problems.Range(path, "weight", destination.Weight, ConfigRanges.Weight);
        problems.Range(path, "requestsMax", destination.RequestsMax, ConfigRanges.RequestsMax);
        problems.Range(path, "tier", destination.Tier, ConfigRanges.Tier);
        if (!string.IsNullOrEmpty(destination.Zone)) problems.Name(ConfigPath.Member(path, "zone"), destination.Zone, "zone");
    }
}
