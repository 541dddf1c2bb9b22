using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Edge.Conversion.Yarp;

/// <summary>Which requests a route of YARP is for, as far as lb can tell.</summary>
internal sealed class YarpMatch(string name, YarpSection route, string path, string[] hosts)
{
    internal string Name => name;

    internal YarpSection Route => route;

    /// <summary>As lb has it.</summary>
    internal string Path => path;

    /// <summary>None: any.</summary>
    internal string[] Hosts => hosts;

    internal string[] Methods { get; private init; } = [];

    internal DraftObject Headers { get; } = new();

    /// <summary>Whether the program asks who a client is.</summary>
    internal bool IsClosed { get; private init; }

    /// <summary>Null where lb has nothing of the kind.</summary>
    internal static YarpMatch? Of(string name, YarpSection route)
    {
        YarpSection section = route.Section("Match");
        if (Pattern(section) is not { } path) return null;
        string[] given = section.Texts("Hosts"), hosts = [.. given.Where(host => HostName.PatternError(host) is null).Distinct(StringComparer.OrdinalIgnoreCase)];
        foreach (string host in given)
            if (HostName.PatternError(host) is { } error) section.Differs("Hosts", $"{host} {error}");
        if (given.Length > 0 && hosts.Length == 0)
        {
            route.Differs("is left out, as lb can match none of its hosts");
            return null;
        }
        var match = new YarpMatch(name, route, path, hosts)
        {
            Methods = [.. section.Texts("Methods").Select(method => method.ToUpperInvariant()).Distinct()],
            IsClosed = route.Text("AuthorizationPolicy") is { Length: > 0 } policy && !policy.Equals("anonymous", StringComparison.OrdinalIgnoreCase),
        };
        foreach (YarpSection header in section.List("Headers"))
        {
            string mode = header.Text("Mode") ?? "ExactHeader";
            string[] values = header.Texts("Values");
            bool isCaseSensitive = header.Flag("IsCaseSensitive") == true;
            if (header.Text("Name") is not { } field || (mode != "Exists" && (mode != "ExactHeader" || values is not [_]))) header.Differs($"lb matches fields by presence and by one exact value, not by {mode}");
            else
            {
                match.Headers.Add(field, mode == "Exists" ? "*" : values[0]);
                if (!isCaseSensitive && mode != "Exists" && values[0].Any(char.IsLetter)) header.Differs("YARP compares the value without regard to case, lb by case");
            }
        }
        return match;
    }

    /// <summary>
    /// Hosts of other routes for which this one has to be there too. Between a route without hosts and one with a host, and between wildcards within each other, YARP takes the one of the more specific
    /// path (but before a wildcard each that has the whole name); lb goes by the host first, so that a wider path of that host would get the requests of this one.
    /// </summary>
    internal string[] MoreHosts(YarpMatch[] all)
    {
        if (path == "/**") return [];
        var more = new List<string>();
        foreach (YarpMatch other in all.Where(IsWithin))
            foreach (string host in other.Hosts)
                if (IsOf(host) && !more.Contains(host, StringComparer.OrdinalIgnoreCase) && !all.Any(same => same.IsFor(host) && IsSame(same))) more.Add(host);
        return [.. more];
    }

    private bool IsFor(string host) => hosts.Contains(host, StringComparer.OrdinalIgnoreCase);

    private bool IsOf(string host) => hosts.Length == 0 || (!IsFor(host) && host.StartsWith('*') && hosts.Any(own => own.StartsWith('*') && host.EndsWith(own[1..], StringComparison.OrdinalIgnoreCase)));

    /// <summary>
    /// Patterns for a rule that keeps everybody out, in whatever case and encoding the path comes: null where they would match what other routes are for, or lb's rules have no such condition.
    /// </summary>
    internal string[]? BlockPaths(YarpMatch[] all)
    {
        if (path == "/**" || path.Contains('{') || Headers.Count > 0 || hosts.Any(host => host.Contains(':'))) return null;
        bool isWhole = path.EndsWith("/**", StringComparison.Ordinal);
        string start = (isWhole ? path[..^3] : path.TrimEnd('/')) + "/";
        foreach (YarpMatch other in all)
        {
            if (other.IsClosed) continue;
            int variable = other.Path.IndexOf('{');
            string literal = (variable < 0 ? other.Path : other.Path[..variable]) + "/";
            if (literal.StartsWith(start, StringComparison.OrdinalIgnoreCase) || (variable >= 0 && start.StartsWith(literal[..^1], StringComparison.OrdinalIgnoreCase))) return null;
        }
        return isWhole ? [path] : [start[..^1], start];
    }

    private bool IsWithin(YarpMatch other) => other.Path.Contains('{') || (other.Path.EndsWith("/**", StringComparison.Ordinal) && other.Path != path && (path + "/").StartsWith(other.Path[..^2], StringComparison.Ordinal));

    private bool IsSame(YarpMatch other) =>
        PathPattern.Shape(path.TrimEnd('/')) == PathPattern.Shape(other.Path.TrimEnd('/')) && Methods.Order().SequenceEqual(other.Methods.Order()) && Headers.ToString() == other.Headers.ToString();

    // "/api/{**rest}" is "/api/**", "/users/{id:int}" is "/users/{id}".
    private static string? Pattern(YarpSection match)
    {
        string template = match.Text("Path") ?? "/{**all}";
        if (!template.StartsWith('/')) template = "/" + template;
        string[] segments = template.Split('/');
        for (int i = 1; i < segments.Length; i++)
        {
            string segment = segments[i];
            if (segment.StartsWith("{*", StringComparison.Ordinal) && segment.EndsWith('}') && i == segments.Length - 1)
            {
                if (segment.Contains(':', StringComparison.Ordinal)) match.Differs("Path", $"the constraint of {segment} is left out: any path matches");
                segments[i] = "**";
                continue;
            }
            if (!segment.StartsWith('{') || !segment.EndsWith('}')) continue;
            string variable = segment[1..^1];
            int end = variable.AsSpan().IndexOfAny(':', '=', '?');
            if (end >= 0 && variable[end] != ':')
            {
                match.Differs("Path", $"lb has no optional segments: {segment} must be there");
                end = variable.AsSpan().IndexOfAny(':', '=', '?');
            }
            else if (end >= 0) match.Differs("Path", $"the constraint of {segment} is left out: any segment matches");
            segments[i] = end < 0 ? segment : $"{{{variable[..end]}}}";
        }
        string path = string.Join('/', segments);
        if (PathPattern.Error(path) is not { } error) return path;
        match.Differs("Path", $"{path} {error}; the route is left out");
        return null;
    }
}
