using System.Globalization;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Edge.Conversion.Yarp;

/// <summary>Routes with their match and transforms.</summary>
internal static class YarpRoutes
{
    internal static void Convert(string name, YarpSection route, DraftObject routes, DraftObject policies, HashSet<string> keepHost)
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
            if (header.Text("Name") is not { } field || (mode != "Exists" && (mode != "ExactHeader" || values is not [_]))) header.Differs($"lb matches fields by presence and by one exact value, not by {mode}");
            else headers.Add(field, mode == "Exists" ? "*" : values[0]);
            header.Flag("IsCaseSensitive");
        }
        draft.Add("headers", headers).Add("cluster", cluster);
        if (YarpConverter.Duration(route.Text("Timeout")) is { } timeout) draft.Add("deadline", timeout);
        if (long.TryParse(route.Text("MaxRequestBodySize"), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long bytes) && bytes >= 0) draft.Add("requestBodyBytesMax", bytes);
        if (route.Text("Order") is { } order and not "0") route.Differs("Order", $"{order} is left out: in lb the most specific match wins");
        draft.Add("policies", Transforms(name, route, path, cluster, policies, keepHost));
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

    private static List<string> Transforms(string route, YarpSection section, string path, string cluster, DraftObject policies, HashSet<string> keepHost)
    {
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
                if (transform.Text("Set") is { } value) set.Add(field, value);
                else if (transform.Text("Append") is { } appended) add.Add(field, appended);
            }
            else if (transform.Has("RequestHeaderRemove")) remove.Add(transform.Text("RequestHeaderRemove")!);
            else if (transform.Has("ResponseHeader"))
            {
                string field = transform.Text("ResponseHeader")!;
                if (transform.Text("Set") is { } value) responseSet.Add(field, value);
                else if (transform.Text("Append") is { } appended) responseAdd.Add(field, appended);
                transform.Text("When");
            }
            else if (transform.Has("ResponseHeaderRemove"))
            {
                responseRemove.Add(transform.Text("ResponseHeaderRemove")!);
                transform.Text("When");
            }
            else if (transform.Flag("RequestHeaderOriginalHost") is { } keeps)
            {
                if (keeps) keepHost.Add(cluster);
            }
            else if (transform.Has("X-Forwarded") && transform.Text("X-Forwarded") is "Set" or "Append") transform.UseAll(); // lb sets them, and appends for trusted proxies
            else if (transform.Flag("RequestHeadersCopy") is true || transform.Flag("ResponseHeadersCopy") is true || transform.Flag("ResponseTrailersCopy") is true) continue; // as lb does
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
}
