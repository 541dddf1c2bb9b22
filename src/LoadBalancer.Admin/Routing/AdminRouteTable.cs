namespace LoadBalancer.Admin.Routing;

/// <summary>Finds the route of a request by path, then method: the first template that matches is the one meant, so those with a verb stand before those without.</summary>
internal sealed class AdminRouteTable(IReadOnlyList<AdminRoute> routes)
{
    internal IReadOnlyList<AdminRoute> Routes => routes;

    private readonly Template[] _templates = [.. routes.GroupBy(route => route.Template).Select(group => new Template(group.Key, [.. group]))];

    /// <summary>The route, with the values of its path; or null, with the methods that the path has (none: there is no such path).</summary>
    internal AdminRoute? Find(string method, string path, out string[] values, out IReadOnlyList<string> methods)
    {
        values = [];
        methods = [];
        string[] segments = path.Split('/');
        foreach (Template template in _templates)
        {
            if (!template.TryMatch(segments, out values)) continue;
            methods = template.Methods;
            string asked = method == "HEAD" ? "GET" : method;
            return Array.Find(template.Routes, route => route.Method == asked);
        }
        return null;
    }

    private sealed class Template(string text, AdminRoute[] routes)
    {
        private readonly string[] _segments = text.Split('/');

        internal AdminRoute[] Routes => routes;

        internal IReadOnlyList<string> Methods { get; } =
            [.. routes.SelectMany(route => route.Method == "GET" ? new[] { "GET", "HEAD" } : [route.Method]).Append("OPTIONS")];

        internal bool TryMatch(string[] segments, out string[] values)
        {
            values = [];
            if (segments.Length != _segments.Length) return false;
            List<string> found = [];
            for (int i = 0; i < segments.Length; i++)
            {
                string template = _segments[i], segment = segments[i];
                if (!template.StartsWith('{'))
                {
                    if (template != segment) return false;
                    continue;
                }
                string verb = template[(template.IndexOf('}', StringComparison.Ordinal) + 1)..];
                if (segment.Length <= verb.Length || !segment.EndsWith(verb, StringComparison.Ordinal)) return false;
                found.Add(Uri.UnescapeDataString(segment[..^verb.Length]));
            }
            values = [.. found];
            return true;
        }
    }
}
