using System.Globalization;

namespace LoadBalancer.Edge.Conversion.Yarp;

/// <summary>Routes, each as often as lb needs it to match what YARP does.</summary>
internal static class YarpRoutes
{
    /// <summary>Writes a route.</summary>
    /// <param name="match">The route.</param>
    /// <param name="all">All of them.</param>
    /// <param name="config">Gets it, with the policies that its transforms become.</param>
    /// <param name="hosts">What is sent as Host, by cluster.</param>
    internal static void Convert(YarpMatch match, YarpMatch[] all, DraftObject config, Dictionary<string, YarpHosts> hosts)
    {
        YarpSection route = match.Route;
        DraftObject routes = config.Child("routes"), policies = config.Child("policies");
        string? cluster = route.Text("ClusterId"), to = null, headers = null;
        var action = new DraftObject();
        if (match.IsClosed)
        {
            // Not left open, and not left to a wider route.
            string[]? blocked = match.BlockPaths(all);
            if (blocked is not null)
                config.Child("blockRules").Add($"{match.Name} closed", new DraftObject().Add("hosts", match.Hosts).Add("paths", blocked).Add("methods", match.Methods).Add("status", 501), $"{route.Place}: in any case and encoding of the path");
            route.Differs("AuthorizationPolicy", $"stands in the program, not here: the route answers 501, so that it is not open to everybody{(blocked is null && match.Path != "/**" ? "; but paths in another case go to wider routes" : "")}");
            action.Add("respond", new DraftObject().Add("status", 501));
        }
        else if (cluster is null)
        {
            route.Differs("has no cluster, and is left out");
            return;
        }
        else
        {
            action.Add("cluster", cluster).Add("deadline", route.Duration("Timeout"));
            if (long.TryParse(route.Text("MaxRequestBodySize"), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long bytes) && bytes >= 0) action.Add("requestBodyBytesMax", bytes);
            if (route.Text("Order") is { } order and not "0") route.Differs("Order", $"{order} is left out: in lb the most specific match wins");
            YarpTransforms transforms = YarpTransforms.Of(route, match.Path);
            hosts[cluster] = hosts.GetValueOrDefault(cluster) | transforms.Host;
            (to, headers) = (transforms.Path, transforms.WriteHeaders(route, match.Name, policies));
        }

        string[] more = match.MoreHosts(all);
        Both("", match.Hosts.Length > 0 ? [.. match.Hosts, .. more] : [], "");
        if (match.Hosts.Length == 0 && more.Length > 0) Both(" of hosts", more, ": before wider paths of these hosts");

        // YARP does not tell "/a" and "/a/" apart.
        void Both(string kind, string[] named, string why)
        {
            Write(match.Name + kind, match.Path, named, to, why);
            if (match.Path == "/" || match.Path.EndsWith("/**", StringComparison.Ordinal)) return;
            Write($"{match.Name}{kind} {(match.Path.EndsWith('/') ? "without" : "with")} slash", Twin(match.Path), named, to is null ? null : Twin(to), why);
        }

        void Write(string name, string path, string[] named, string? to, string why)
        {
            var names = new List<string>();
            if (to is not null && to != path)
            {
                string policy = path == match.Path ? $"{match.Name}-path" : $"{match.Name}-path-slash";
                var rules = new List<DraftObject> { new DraftObject().Add("v1", path).Add("v2", to) };
                if (!policies.Has(policy)) policies.Add(policy, new DraftObject().Add("translate", new DraftObject().Add("map", new DraftObject().Add("routes", rules))), route.Place);
                names.Add(policy);
            }
            if (headers is not null) names.Add(headers);
            DraftObject draft = new DraftObject().Add("hosts", named).Add("path", path == "/**" ? null : path).Add("methods", match.Methods).Add("headers", match.Headers);
            action.CopyTo(draft);
            routes.Add(name, draft.Add("policies", names), route.Place + why);
        }
    }

    private static string Twin(string path) => path.EndsWith('/') ? path[..^1] : path + "/";

    /// <summary>Whether the case of paths says something in one of the routes.</summary>
    internal static bool HasLetters(YarpSection routes) => routes.Sections().Any(route =>
        (route.Section.Section("Match").Text("Path") ?? "").Split('/').Any(segment => !segment.StartsWith('{') && segment.Any(char.IsLetter)));
}
