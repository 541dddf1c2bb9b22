using System.Globalization;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Edge.Conversion.Yarp;

/// <summary>Routes with their match and transforms.</summary>
internal static class YarpRoutes
{
    private static readonly string[] s_copies = ["RequestHeadersCopy", "ResponseHeadersCopy", "ResponseTrailersCopy"];

    internal static void Convert(string name, YarpSection route, DraftObject routes, DraftObject policies, Dictionary<string, YarpHosts> hosts)
    {
        YarpSection match = route.Section("Match");
        if (Path(match) is not { } path) return;
        if (route.Text("ClusterId") is not { } cluster)
        {
            route.Differs("has no cluster, and is left out");
            return;
        }
        var draft = new DraftObject().Add("hosts", match.Texts("Hosts")).Add("path", path == "/**" ? null : path).Add("methods", match.Texts("Methods").Select(method => method.ToUpperInvariant()).ToArray());
        var headers = new DraftObject();
        foreach (YarpSection header in match.List("Headers"))
        {
            string mode = header.Text("Mode") ?? "ExactHeader";
            string[] values = header.Texts("Values");
            bool isCaseSensitive = header.Flag("IsCaseSensitive") == true;
            if (header.Text("Name") is not { } field || (mode != "Exists" && (mode != "ExactHeader" || values is not [_]))) header.Differs($"lb matches fields by presence and by one exact value, not by {mode}");
            else
            {
                headers.Add(field, mode == "Exists" ? "*" : values[0]);
                if (!isCaseSensitive && mode != "Exists" && values[0].Any(char.IsLetter)) header.Differs("YARP compares the value without regard to case, lb by case");
            }
        }
        draft.Add("headers", headers);
        if (route.Text("AuthorizationPolicy") is { Length: > 0 } policy && !policy.Equals("anonymous", StringComparison.OrdinalIgnoreCase))
        {
            // Not left open, and not left to a wider route.
            route.Differs("AuthorizationPolicy", "stands in the program, not here: the route answers 501, so that it is not open to everybody");
            routes.Add(name, draft.Add("respond", new DraftObject().Add("status", 501)), route.Place);
            return;
        }
        draft.Add("cluster", cluster).Add("deadline", route.Duration("Timeout"));
        if (long.TryParse(route.Text("MaxRequestBodySize"), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long bytes) && bytes >= 0) draft.Add("requestBodyBytesMax", bytes);
        if (route.Text("Order") is { } order and not "0") route.Differs("Order", $"{order} is left out: in lb the most specific match wins");
        draft.Add("policies", Transforms(name, route, path, policies, out YarpHosts host));
        hosts[cluster] = hosts.GetValueOrDefault(cluster) | host;
        routes.Add(name, draft, route.Place);
    }

    // "/api/{**rest}" is "/api/**", "/users/{id:int}" is "/users/{id}".
    private static string? Path(YarpSection match)
    {
        string template = match.Text("Path") ?? "/{**all}";
        if (!template.StartsWith('/')) template = "/" + template;
        string[] segments = template.Split('/');
        for (int i = 1; i < segments.Length; i++)
        {
            string segment = segments[i];
            if (segment.StartsWith("{*", StringComparison.Ordinal) && segment.EndsWith('}') && i == segments.Length - 1)
            {
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

    /// <summary>Whether the case of paths says something in one of the routes.</summary>
    internal static bool HasLetters(YarpSection routes) => routes.Sections().Any(route =>
        (route.Section.Section("Match").Text("Path") ?? "").Split('/').Any(segment => !segment.StartsWith('{') && segment.Any(char.IsLetter)));

    private static List<string> Transforms(string route, YarpSection section, string path, DraftObject policies, out YarpHosts host)
    {
        host = YarpHosts.Destination;
        DraftObject set = new(), add = new(), responseSet = new(), responseAdd = new();
        List<string> remove = [], responseRemove = [];
        string? to = null;
        foreach (YarpSection transform in section.List("Transforms"))
        {
            if (transform.Text("PathRemovePrefix") is { } prefix && path.EndsWith("/**", StringComparison.Ordinal) && to is null && path.StartsWith(prefix.TrimEnd('/') + "/", StringComparison.Ordinal)) to = path[prefix.TrimEnd('/').Length..];
            else if (transform.Has("PathPrefix") && to is null) to = $"/{transform.Text("PathPrefix")!.Trim('/')}{path}";
            else if (transform.Has("PathPrefix") && transform.Text("PathPrefix") is { } before) to = $"/{before.Trim('/')}{to}";
            else if (transform.Has("RequestHeader"))
            {
                string field = transform.Text("RequestHeader")!;
                if (IsOwn(field))
                {
                    transform.Differs("RequestHeader", $"lb sets {field} by itself; left out");
                    transform.UseAll();
                }
                else if (transform.Text("Set") is { } value) set.Add(field, value);
                else if (transform.Text("Append") is { } appended) add.Add(field, appended);
            }
            else if (transform.Has("RequestHeaderRemove")) remove.Add(transform.Text("RequestHeaderRemove")!);
            else if (transform.Has("ResponseHeader"))
            {
                string field = transform.Text("ResponseHeader")!;
                if (transform.Text("Set") is { } value) responseSet.Add(field, value);
                else if (transform.Text("Append") is { } appended) responseAdd.Add(field, appended);
                When(transform, "ResponseHeader");
            }
            else if (transform.Has("ResponseHeaderRemove"))
            {
                responseRemove.Add(transform.Text("ResponseHeaderRemove")!);
                When(transform, "ResponseHeaderRemove");
            }
            else if (transform.Has("RequestHeaderOriginalHost"))
            {
                if (transform.Flag("RequestHeaderOriginalHost") is { } keeps) host = keeps ? YarpHosts.Client : YarpHosts.Destination;
            }
            else if (transform.Has("X-Forwarded")) Forwarded(transform);
            else if (s_copies.FirstOrDefault(transform.Has) is { } copy)
            {
                if (transform.Flag(copy) == false) transform.Differs(copy, "left out: lb copies all but what policies of the kind \"headers\" remove");
            }
            else if (!transform.Has("PathRemovePrefix")) transform.Left();
            else transform.Differs("PathRemovePrefix", "is not what the path begins with; left out");
        }
        var names = new List<string>();
        if (to is not null && to != path)
        {
            var rules = new List<DraftObject> { new DraftObject().Add("v1", path).Add("v2", to) };
            policies.Add($"{route}-path", new DraftObject().Add("translate", new DraftObject().Add("map", new DraftObject().Add("routes", rules))), section.Place);
            names.Add($"{route}-path");
        }
        DraftObject request = new DraftObject().Add("remove", remove).Add("set", set).Add("add", add);
        DraftObject response = new DraftObject().Add("remove", responseRemove).Add("set", responseSet).Add("add", responseAdd);
        DraftObject headers = new DraftObject().Add("request", request).Add("response", response);
        if (headers.Count > 0)
        {
            policies.Add($"{route}-headers", new DraftObject().Add("headers", headers), section.Place);
            names.Add($"{route}-headers");
        }
        return names;
    }

    // YARP changes answers below 400 alone where nothing is said.
    private static void When(YarpSection transform, string key)
    {
        string when = transform.Text("When") ?? "Success";
        if (!when.Equals("Always", StringComparison.OrdinalIgnoreCase)) transform.Differs(transform.Has("When") ? "When" : key, $"not only with {when.ToLowerInvariant()}: lb changes all answers of destinations");
    }

    // lb sets all three, in the place of what the client sent unless it is a trusted proxy.
    private static void Forwarded(YarpSection transform)
    {
        foreach (string key in (string[])["X-Forwarded", "For", "Proto", "Host", "Prefix"])
            if (transform.Text(key) is { } action && !action.Equals("Set", StringComparison.OrdinalIgnoreCase))
                transform.Differs(key, $"{action} is left out: lb sets X-Forwarded-For, -Proto and -Host, and appends for \"trustedProxies\"; \"forwarded\" of a listener turns that off");
        if (transform.Text("HeaderPrefix") is { } prefix && prefix != "X-Forwarded-") transform.Differs("HeaderPrefix", $"{prefix} is left out");
    }

    private static bool IsOwn(string field) => field.Equals("Host", StringComparison.OrdinalIgnoreCase) || field.Equals("X-Forwarded-For", StringComparison.OrdinalIgnoreCase)
        || field.Equals("X-Forwarded-Proto", StringComparison.OrdinalIgnoreCase) || field.Equals("X-Forwarded-Host", StringComparison.OrdinalIgnoreCase);
}
