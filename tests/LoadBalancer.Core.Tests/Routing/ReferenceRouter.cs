using LoadBalancer.Core.Routing;

namespace LoadBalancer.Core.Tests.Routing;

/// <summary>The routing rules written down plainly: every (rule, host) pair that matches, ordered by the documented order, first taken.</summary>
internal static class ReferenceRouter
{
    internal static string? Find(IEnumerable<RouteRule<string>> rules, string authority, string path, string method, Dictionary<string, string> fields) => (
        from rule in rules
        from host in rule.Hosts.Count == 0 ? ["*"] : rule.Hosts
        let hostRank = HostRank(host, authority.ToLowerInvariant())
        where hostRank >= 0 && PathMatches(rule.Path, path)
        where rule.Methods.Count == 0 || rule.Methods.Contains(method)
        where rule.Headers.All(item => fields.TryGetValue(item.Key, out string? value) && (item.Value == "*" || item.Value == value))
        orderby hostRank descending,
            PathClass(rule.Path),
            rule.Path.EndsWith("/**", StringComparison.Ordinal) ? -rule.Path.Count(c => c == '/') : 0,
            string.Concat(rule.Path.Split('/').Select(segment => segment.StartsWith('{') ? '1' : '0')),
            rule.Headers.Count + (rule.Methods.Count > 0 ? 1 : 0) descending
        select rule)
        .GroupBy(_ => 0).Select(group => group.First()).Select(first => First(rules, first, authority, path, method, fields)).FirstOrDefault();

    // Among the rules that are as specific as the winner, the first by name.
    private static string First(IEnumerable<RouteRule<string>> rules, RouteRule<string> winner, string authority, string path, string method, Dictionary<string, string> fields)
    {
        string Key(RouteRule<string> rule) => string.Join('|',
            (rule.Hosts.Count == 0 ? ["*"] : rule.Hosts).Max(host => HostRank(host, authority.ToLowerInvariant())),
            PathClass(rule.Path),
            rule.Path.Count(c => c == '/'),
            string.Concat(rule.Path.Split('/').Select(segment => segment.StartsWith('{') ? '1' : '0')),
            rule.Headers.Count + (rule.Methods.Count > 0 ? 1 : 0));
        return rules
            .Where(rule => PathMatches(rule.Path, path) && (rule.Methods.Count == 0 || rule.Methods.Contains(method)) &&
                rule.Headers.All(item => fields.TryGetValue(item.Key, out string? value) && (item.Value == "*" || item.Value == value)))
            .Where(rule => Key(rule) == Key(winner))
            .OrderBy(rule => rule.Name, StringComparer.Ordinal)
            .First().Route;
    }

    private static int HostRank(string host, string authority)
    {
        (string name, string? port) = Split(authority);
        (string wantedName, string? wantedPort) = Split(host);
        if (wantedPort is not null && wantedPort != port) return -1;
        int rank = wantedPort is null ? 0 : 1;
        if (wantedName == "*") return rank;
        if (!wantedName.StartsWith("*.", StringComparison.Ordinal)) return wantedName == name ? 1_000_000 + rank : -1;
        return name.EndsWith(wantedName[1..], StringComparison.Ordinal) && name.Length > wantedName.Length - 1 ? 10 * wantedName.Length + rank : -1;
    }

    private static (string Name, string? Port) Split(string text)
    {
        string[] parts = text.Split(':');
        return (parts[0].EndsWith('.') ? parts[0][..^1] : parts[0], parts.Length > 1 && parts[1].Length > 0 ? parts[1] : null);
    }

    private static int PathClass(string pattern) => pattern.EndsWith("/**", StringComparison.Ordinal) ? 2 : pattern.Contains('{') ? 1 : 0;

    private static bool PathMatches(string pattern, string path)
    {
        if (path == "*") return pattern == "/**";
        bool prefix = pattern.EndsWith("/**", StringComparison.Ordinal);
        string[] wanted = (prefix ? pattern[..^3] : pattern).Split('/')[1..]; // what stands before the first slash is nothing
        if (prefix && pattern.Length == 3) wanted = [];
        string[] sent = path.Split('/')[1..];
        if (prefix ? sent.Length < wanted.Length : sent.Length != wanted.Length) return false;
        return wanted.Zip(sent).All(pair => pair.First.StartsWith('{') ? pair.Second.Length > 0 : pair.First == pair.Second);
    }
}
