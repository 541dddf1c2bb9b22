using LoadBalancer.Core.Routing;

namespace LoadBalancer.Core.Configuration;

/// <summary>Checks a configuration as a whole: ranges, addresses, patterns, cross references. Opens no socket and asks no DNS.</summary>
public static class ConfigValidator
{
    private const string TokenCharacters = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    /// <summary>All problems; empty when the configuration can be run.</summary>
    public static IReadOnlyList<ConfigProblem> Validate(ProxyConfig config)
    {
        var problems = new List<ConfigProblem>();
        void Check(bool ok, string path, string message)
        {
            if (!ok) problems.Add(new(path, message));
        }

        Check(config.Listeners.Count > 0, "listeners", "at least one listener is needed, for example \"web\": { \"address\": \":8080\" }");
        Check(config.Transport.Loops is >= 0 and <= 1024, "transport.loops", "expected 0 (one for each processor) to 1024");
        Check(config.DrainTimeout >= TimeSpan.Zero, "drainTimeout", "expected zero or more");
        var addresses = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach ((string name, ListenerConfig listener) in config.Listeners)
        {
            string path = ConfigPath.Append("listeners", name);
            string? problem = AddressParser.Check(listener.Address, isListener: true);
            Check(problem is null, path + ".address", problem ?? "");
            if (!addresses.TryAdd(listener.Address, name) && !listener.Address.EndsWith(":0", StringComparison.Ordinal))
                Check(false, path + ".address", $"listener '{addresses[listener.Address]}' has the same address");
            CheckListener(listener, path, Check);
        }
        foreach ((string name, RouteConfig route) in config.Routes) CheckRoute(config, route, ConfigPath.Append("routes", name), Check);
        foreach ((string name, ClusterConfig cluster) in config.Clusters) CheckCluster(cluster, ConfigPath.Append("clusters", name), Check);
        return problems;
    }

    private static void CheckListener(ListenerConfig listener, string path, Action<bool, string, string> check)
    {
        ListenerLimitsConfig limits = listener.Limits;
        check(listener.Backlog is > 0, path + ".backlog", "expected 1 or more");
        check(listener.ConnectionsMax >= 0, path + ".connectionsMax", "expected 0 (no limit) or more");
        check(listener.TcpKeepAlive >= TimeSpan.Zero, path + ".tcpKeepAlive", "expected zero or more");
        for (int i = 0; i < listener.TrustedProxies.Count; i++)
            check(CidrSet.TryParse(listener.TrustedProxies[i], out _), $"{path}.trustedProxies[{i}]", $"expected an address or block such as \"10.0.0.0/8\", not \"{listener.TrustedProxies[i]}\"");
        check(listener.Forwarded.Via.Length == 0 || IsToken(listener.Forwarded.Via), path + ".forwarded.via", "expected a name without spaces, such as \"lb\", or \"\" for none");

        string p = path + ".limits.";
        CheckPositive(limits.RequestHeadTimeout, p + "requestHeadTimeout", check);
        CheckPositive(limits.RequestBodyIdleTimeout, p + "requestBodyIdleTimeout", check);
        CheckPositive(limits.KeepAliveTimeout, p + "keepAliveTimeout", check);
        CheckPositive(limits.WriteIdleTimeout, p + "writeIdleTimeout", check);
        check(limits.RequestBodyRateMin >= 0, p + "requestBodyRateMin", "expected 0 (none) or more bytes per second");
        check(limits.RequestBodyRateGrace >= TimeSpan.Zero, p + "requestBodyRateGrace", "expected zero or more");
        check(limits.RequestsPerConnectionMax >= 0, p + "requestsPerConnectionMax", "expected 0 (no limit) or more");
        check(limits.ConnectionAgeMax >= TimeSpan.Zero, p + "connectionAgeMax", "expected zero (no limit) or more");
        check(limits.RequestLineBytesMax is >= 256 and <= 65536, p + "requestLineBytesMax", "expected 256 B to 64 KiB");
        check(limits.RequestHeadBytesMax is >= 1024 and <= 65536, p + "requestHeadBytesMax", "expected 1 KiB to 64 KiB");
        check(limits.RequestHeaderCountMax is >= 1 and <= 10_000, p + "requestHeaderCountMax", "expected 1 to 10000");
        check(limits.RequestBodyBytesMax is null or >= 0, p + "requestBodyBytesMax", "expected 0 or more");
    }

    private static void CheckRoute(ProxyConfig config, RouteConfig route, string path, Action<bool, string, string> check)
    {
        for (int i = 0; i < route.Listeners.Count; i++)
            check(config.Listeners.ContainsKey(route.Listeners[i]), $"{path}.listeners[{i}]", $"there is no listener '{route.Listeners[i]}'{Suggestion.For(route.Listeners[i], config.Listeners.Keys)}");
        for (int i = 0; i < route.Hosts.Count; i++)
            check(IsHostPattern(route.Hosts[i]), $"{path}.hosts[{i}]", $"expected \"example.com\", \"example.com:8443\" or \"*.example.com\", not \"{route.Hosts[i]}\"");
        check(IsPathPattern(route.Path), path + ".path", $"expected \"/exact\", \"/users/{{id}}\" or \"/files/**\", not \"{route.Path}\"");
        for (int i = 0; i < route.Methods.Count; i++)
            check(IsToken(route.Methods[i]), $"{path}.methods[{i}]", $"expected a method such as \"GET\", not \"{route.Methods[i]}\"");
        foreach ((string name, string value) in route.Headers)
            check(IsToken(name) && IsFieldValue(value), ConfigPath.Append(path + ".headers", name), "expected a header field name with its value, or \"*\" for any");
        check(route.Deadline >= TimeSpan.Zero, path + ".deadline", "expected zero (none) or more");
        check(route.RequestBodyBytesMax is null or >= 0, path + ".requestBodyBytesMax", "expected 0 or more");

        int actions = (route.Cluster is null ? 0 : 1) + (route.Redirect is null ? 0 : 1) + (route.Respond is null ? 0 : 1);
        check(actions == 1, path, "expected exactly one of cluster, redirect and respond");
        if (route.Cluster is { } cluster)
            check(config.Clusters.ContainsKey(cluster), path + ".cluster", $"there is no cluster '{cluster}'{Suggestion.For(cluster, config.Clusters.Keys)}");
        if (route.Redirect is { } redirect)
        {
            check(redirect.Status is 301 or 302 or 303 or 307 or 308, path + ".redirect.status", "expected 301, 302, 303, 307 or 308");
            check(redirect.To.Length > 0 && redirect.To.All(c => c is > ' ' and < (char)127), path + ".redirect.to", "expected a location in visible ASCII, such as \"https://{host}{path}{query}\"");
        }
        if (route.Respond is { } respond)
        {
            check(respond.Status is >= 200 and <= 599, path + ".respond.status", "expected 200 to 599");
            check(IsFieldValue(respond.ContentType), path + ".respond.contentType", "expected a media type");
            foreach ((string name, string value) in respond.Headers)
            {
                bool framing = name.Equals("content-length", StringComparison.OrdinalIgnoreCase) || name.Equals("transfer-encoding", StringComparison.OrdinalIgnoreCase)
                    || name.Equals("connection", StringComparison.OrdinalIgnoreCase);
                check(IsToken(name) && IsFieldValue(value) && !framing, ConfigPath.Append(path + ".respond.headers", name), "expected a header field name (other than Connection, Content-Length and Transfer-Encoding) with its value");
            }
        }
    }

    private static void CheckCluster(ClusterConfig cluster, string path, Action<bool, string, string> check)
    {
        foreach ((string name, DestinationConfig destination) in cluster.Destinations)
        {
            string p = ConfigPath.Append(path + ".destinations", name);
            string? problem = AddressParser.Check(destination.Address, isListener: false);
            check(problem is null, p + ".address", problem ?? "");
            check(destination.Weight is >= 1 and <= 1000, p + ".weight", "expected 1 to 1000");
        }
        check(cluster.Balance == "round-robin", path + ".balance", $"expected \"round-robin\", not \"{cluster.Balance}\"");
        check(cluster.Host is "client" or "destination" || IsHostPattern(cluster.Host), path + ".host", "expected \"client\", \"destination\" or a host name");
        CheckPositive(cluster.ConnectTimeout, path + ".connectTimeout", check);
        CheckPositive(cluster.ResponseHeadTimeout, path + ".responseHeadTimeout", check);
        CheckPositive(cluster.IdleTimeout, path + ".idleTimeout", check);
        CheckPositive(cluster.TunnelIdleTimeout, path + ".tunnelIdleTimeout", check);
        check(cluster.ResponseHeadBytesMax is >= 1024 and <= 65536, path + ".responseHeadBytesMax", "expected 1 KiB to 64 KiB");
        check(cluster.ResponseHeaderCountMax is >= 1 and <= 10_000, path + ".responseHeaderCountMax", "expected 1 to 10000");
        check(cluster.RetriesMax is >= 0 and <= 10, path + ".retriesMax", "expected 0 to 10");
        check(cluster.Pool.IdleConnectionsMax is >= 0 and <= 1_000_000, path + ".pool.idleConnectionsMax", "expected 0 to 1000000");
        check(cluster.Pool.IdleTimeout >= TimeSpan.Zero, path + ".pool.idleTimeout", "expected zero (keep none) or more");
        check(cluster.Pool.LifeMax >= TimeSpan.Zero, path + ".pool.lifeMax", "expected zero (no limit) or more");
        check(cluster.Pool.ConnectionsMax >= 0, path + ".pool.connectionsMax", "expected 0 (no limit) or more");
    }

    private static void CheckPositive(TimeSpan value, string path, Action<bool, string, string> check) =>
        check(value > TimeSpan.Zero && value <= TimeSpan.FromDays(365), path, "expected more than zero, and at most a year");

    private static bool IsToken(string text) => text.Length > 0 && text.All(c => TokenCharacters.Contains(c, StringComparison.Ordinal));

    private static bool IsFieldValue(string text) => !text.Any(c => c is < ' ' and not '\t' or (char)127);

    private static bool IsHostPattern(string host)
    {
        string name = host.StartsWith("*.", StringComparison.Ordinal) ? host[2..] : host;
        int colon = name.LastIndexOf(':');
        if (colon > 0 && !name.EndsWith(']'))
        {
            if (!ushort.TryParse(name.AsSpan(colon + 1), out _) || host.StartsWith('*')) return false;
            name = name[..colon];
        }
        if (name is ['[', .., ']']) name = name[1..^1];
        return Uri.CheckHostName(name) != UriHostNameType.Unknown;
    }

    private static bool IsPathPattern(string path)
    {
        if (!path.StartsWith('/') || path.Any(c => c is <= ' ' or >= (char)127 or '?' or '#')) return false;
        string rest = path.EndsWith("/**", StringComparison.Ordinal) ? path[..^3] : path;
        foreach (string segment in rest.Split('/'))
        {
            bool template = segment is ['{', _, .., '}'] && segment.AsSpan(1, segment.Length - 2).IndexOfAny("{}*") < 0;
            if (!template && segment.AsSpan().IndexOfAny("{}*") >= 0) return false;
        }
        return true;
    }
}
