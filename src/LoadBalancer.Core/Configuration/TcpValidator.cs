using LoadBalancer.Core.Forwarding;

namespace LoadBalancer.Core.Configuration;

/// <summary>Checks listeners that forward TCP, and the clusters that they forward to.</summary>
internal static class TcpValidator
{
    internal static void Validate(ProxyConfig config, ProblemList problems)
    {
        foreach ((string name, ListenerConfig listener) in config.Listeners)
            if (listener.Tcp is { } tcp) Listener(config, ConfigPath.Member("listeners", name), listener, tcp, problems);
        foreach ((string name, RouteConfig route) in config.Routes)
        {
            for (int i = 0; i < route.Listeners.Count; i++)
                if (config.Listeners.TryGetValue(route.Listeners[i], out ListenerConfig? listener) && listener.Tcp is not null)
                    problems.Add(ConfigPath.Item($"{ConfigPath.Member("routes", name)}.listeners", i), $"listener {CharacterText.Quote(route.Listeners[i])} forwards TCP and has no routes");
        }
    }

    private static void Listener(ProxyConfig config, string path, ListenerConfig listener, TcpConfig tcp, ProblemList problems)
    {
        if (tcp.Cluster is { } cluster) Cluster(config, $"{path}.tcp.cluster", cluster, problems);
        else if (tcp.Sni.Count == 0) problems.Add($"{path}.tcp", "says not where to; expected \"cluster\", or \"sni\" with clusters by name");
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach ((string name, string target) in tcp.Sni)
        {
            string item = ConfigPath.Member($"{path}.tcp.sni", name);
            if (!IsServerName(name)) problems.Add(item, $"{CharacterText.Quote(name)} is no name that a client can ask for; expected \"example.com\" or \"*.example.com\"");
            else if (!names.Add(name)) problems.Add(item, $"\"{name}\" is given twice; names do not depend on case");
            Cluster(config, item, target, problems);
        }
        if (tcp.Sni.Count > 0 && listener.Tls is not null)
            problems.Add($"{path}.tcp.sni", "is for TLS that is passed through, and this listener terminates it (\"tls\"); expected one of them, or a listener for each");
        problems.Range($"{path}.tcp", "helloTimeout", tcp.HelloTimeout, ConfigRanges.HelloTimeout);
        problems.Range($"{path}.tcp", "idleTimeout", tcp.IdleTimeout, ConfigRanges.TcpIdleTimeout);
        problems.Range($"{path}.tcp", "halfCloseTimeout", tcp.HalfCloseTimeout, ConfigRanges.TcpIdleTimeout);

        const string HttpOnly = "has no effect with \"tcp\": it is for HTTP";
        var defaults = new ListenerConfig { Address = listener.Address };
        if (listener.TrustedProxies.Count > 0) problems.Add($"{path}.trustedProxies", HttpOnly);
        if (listener.Forwarded != defaults.Forwarded) problems.Add($"{path}.forwarded", HttpOnly);
        if (listener.Tls?.HttpsOnly is not null) problems.Add($"{path}.tls.httpsOnly", HttpOnly);
        if (listener.Limits != defaults.Limits) problems.Add($"{path}.limits", $"{HttpOnly}; the limits of TCP are in \"tcp\"");
    }

    private static bool IsServerName(string name) => HostName.IsValid(name.StartsWith("*.", StringComparison.Ordinal) ? name.AsSpan(2) : name);

    // What would need a request to look at.
    private static void Cluster(ProxyConfig config, string path, string name, ProblemList problems)
    {
        if (!config.Clusters.TryGetValue(name, out ClusterConfig? cluster))
        {
            problems.Add(path, $"there is no cluster {CharacterText.Quote(name)}{Suggestion.Text(name, [.. config.Clusters.Keys])}");
            return;
        }
        if (cluster.Sticky is not null) problems.Add(path, $"cluster {CharacterText.Quote(name)} is \"sticky\" by a cookie, which TCP connections have not; hash \"ip\" instead");
        if (cluster.HashOn is { } hashOn && HashSource.TryParse(hashOn, out HashSource? source) && !source.IsOfConnection)
            problems.Add(path, $"cluster {CharacterText.Quote(name)} hashes {CharacterText.Quote(hashOn)}, which TCP connections have not; expected \"hashOn\": \"ip\"");
        if (cluster.Balance == ConfigRanges.ProbingPolicy)
            problems.Add(path, $"cluster {CharacterText.Quote(name)} asks destinations for their load over HTTP (\"{ConfigRanges.ProbingPolicy}\"); expected another policy, such as \"least-outstanding\"");
    }
}
