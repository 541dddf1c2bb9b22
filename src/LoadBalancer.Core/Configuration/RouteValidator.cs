namespace LoadBalancer.Core.Configuration;

/// <summary>Checks <see cref="RouteConfig"/>.</summary>
internal static class RouteValidator
{
    internal static void Validate(ProxyConfig config, ProblemList problems)
    {
        var matches = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach ((string name, RouteConfig route) in config.Routes)
        {
            string path = ConfigPath.Member("routes", name);
            problems.Name(path, name, "route");
            Match(config, path, route, problems);
            Action(config, path, route, problems);
            problems.Range(path, "deadline", route.Deadline, ConfigRanges.Deadline);
            if (route.RequestBodyBytesMax is { } max) problems.Range(path, "requestBodyBytesMax", max, ConfigRanges.RequestBodyBytesMax);

            if (route.RequestHeadBytesMax is { } headMax) problems.Range(path, "requestHeadBytesMax", headMax, ConfigRanges.RequestHeadBytesMax);
            problems.Range(path, "requestHeaderCountMax", route.RequestHeaderCountMax, ConfigRanges.RouteHeaderCountMax);
            problems.Range(path, "requestBodyTimeout", route.RequestBodyTimeout, ConfigRanges.RequestBodyTimeout);
            if (!Enum.IsDefined(route.Priority)) problems.Add($"{path}.priority", $"{(int)route.Priority} is no priority; expected low, normal or high");
            LimitValidator.Route(config, path, route, problems);
            PolicyValidator.Route(config, path, route, problems);

            string key = MatchKey(route);
            if (!matches.TryAdd(key, name)) problems.Add(path, $"matches the same requests as route \"{matches[key]}\"; one of them would never be used");
        }
    }

    private static void Match(ProxyConfig config, string path, RouteConfig route, ProblemList problems)
    {
        for (int i = 0; i < route.Listeners.Count; i++)
        {
            string listener = route.Listeners[i];
            if (!config.Listeners.ContainsKey(listener))
                problems.Add(ConfigPath.Item($"{path}.listeners", i), $"there is no listener {CharacterText.Quote(listener)}{Suggestion.Text(listener, [.. config.Listeners.Keys])}");
        }
        var hosts = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        for (int i = 0; i < route.Hosts.Count; i++)
        {
            string host = route.Hosts[i];
            string? error = HostName.PatternError(host) ?? (hosts.Add(host) ? null : "is given twice");
            if (error is not null) problems.Add(ConfigPath.Item($"{path}.hosts", i), $"{CharacterText.Quote(host)} {error}");
        }
        if (PathPattern.Error(route.Path) is { } pathError) problems.Add($"{path}.path", $"{CharacterText.Quote(route.Path)} {pathError}");
        for (int i = 0; i < route.Methods.Count; i++) Method(ConfigPath.Item($"{path}.methods", i), route.Methods[i], problems);
        Headers($"{path}.headers", route.Headers, problems);
        foreach ((string name, string value) in route.Cookies)
        {
            string item = ConfigPath.Member($"{path}.cookies", name);
            if (!HttpSyntax.IsToken(name)) problems.Add(item, $"{CharacterText.Quote(name)} is no cookie name; expected letters, digits and \"-\"");
            else if (HttpSyntax.FieldValueError(value) is { } error) problems.Add(item, $"{CharacterText.Quote(value)} {error}");
            else if (value.Contains(';', StringComparison.Ordinal)) problems.Add(item, $"{CharacterText.Quote(value)} has a \";\", which ends a cookie");
        }
    }

    internal static void Method(string path, string method, ProblemList problems)
    {
        if (!HttpSyntax.IsToken(method)) problems.Add(path, $"{CharacterText.Quote(method)} is no method; expected one word such as \"GET\"");
        else if (method == "CONNECT") problems.Add(path, "\"CONNECT\" is always refused (405)");
        // RFC 9110 §9.1: methods are case-sensitive, so "get" would match nothing that anyone sends.
        else if (HttpSyntax.CommonMethods.FirstOrDefault(m => m.Equals(method, StringComparison.OrdinalIgnoreCase)) is { } common && common != method)
            problems.Add(path, $"\"{method}\" would not match, methods are case-sensitive; did you mean \"{common}\"?");
    }

    private static void Action(ProxyConfig config, string path, RouteConfig route, ProblemList problems)
    {
        string[] given = [.. Given(route)];
        if (given.Length == 0) problems.Add(path, "says not what to do; expected one of \"cluster\", \"split\", \"redirect\", \"respond\"");
        else if (given.Length > 1) problems.Add(path, $"has {string.Join(" and ", given.Select(g => $"\"{g}\""))}; expected only one of them");

        if (route.Cluster is { } cluster && !config.Clusters.ContainsKey(cluster))
            problems.Add($"{path}.cluster", $"there is no cluster {CharacterText.Quote(cluster)}{Suggestion.Text(cluster, [.. config.Clusters.Keys])}");
        Split(config, $"{path}.split", route.Split, problems);
        if (route.Mirror is { } mirror) Mirror(config, $"{path}.mirror", route, mirror, problems);
        if (route.Redirect is { } redirect) Redirect($"{path}.redirect", redirect, problems);
        if (route.Respond is { } respond) Respond($"{path}.respond", respond, problems);
    }

    private static IEnumerable<string> Given(RouteConfig route)
    {
        if (route.Cluster is not null) yield return "cluster";
        if (route.Split.Count > 0) yield return "split";
        if (route.Redirect is not null) yield return "redirect";
        if (route.Respond is not null) yield return "respond";
    }

    private static void Split(ProxyConfig config, string path, IReadOnlyDictionary<string, int> split, ProblemList problems)
    {
        foreach ((string cluster, int share) in split)
        {
            if (!config.Clusters.ContainsKey(cluster))
                problems.Add(ConfigPath.Member(path, cluster), $"there is no cluster {CharacterText.Quote(cluster)}{Suggestion.Text(cluster, [.. config.Clusters.Keys])}");
            problems.Range(path, cluster, share, ConfigRanges.SplitShare);
        }
        if (split.Count > 0 && split.Values.All(share => share == 0)) problems.Add(path, "gives every cluster a share of 0; nothing could be forwarded");
    }

    private static void Mirror(ProxyConfig config, string path, RouteConfig route, MirrorConfig mirror, ProblemList problems)
    {
        if (!config.Clusters.ContainsKey(mirror.Cluster))
            problems.Add($"{path}.cluster", $"there is no cluster {CharacterText.Quote(mirror.Cluster)}{Suggestion.Text(mirror.Cluster, [.. config.Clusters.Keys])}");
        else if (route.Cluster == mirror.Cluster || route.Split.ContainsKey(mirror.Cluster))
            problems.Add($"{path}.cluster", $"{CharacterText.Quote(mirror.Cluster)} gets the requests already; expected another cluster, which gets copies");
        if (route.Cluster is null && route.Split.Count == 0) problems.Add(path, "has no effect on a route that forwards nothing; it goes with \"cluster\" or \"split\"");
        problems.Range(path, "percent", mirror.Percent, ConfigRanges.Percent);
        problems.Range(path, "requestsMax", mirror.RequestsMax, ConfigRanges.MirrorRequestsMax);
    }

    private static void Redirect(string path, RedirectConfig redirect, ProblemList problems)
    {
        if (RedirectTarget.Error(redirect.To) is { } error) problems.Add($"{path}.to", $"{CharacterText.Quote(redirect.To)} {error}");
        if (Array.IndexOf(ConfigRanges.RedirectStatuses, redirect.Status) < 0)
            problems.Add($"{path}.status", $"{redirect.Status} is no redirect; expected one of {string.Join(", ", ConfigRanges.RedirectStatuses)}");
    }

    private static void Respond(string path, RespondConfig respond, ProblemList problems)
    {
        problems.Range(path, "status", respond.Status, ConfigRanges.RespondStatus);
        // RFC 9110 §15.3.5, §15.4.5: these have no content.
        if (respond.Status is 204 or 205 or 304 && respond.Body.Length > 0) problems.Add($"{path}.body", $"an answer with status {respond.Status} has no content");
        if (respond.ContentType.Length == 0) problems.Add($"{path}.contentType", "is empty; expected a media type such as \"text/plain; charset=utf-8\"");
        else if (HttpSyntax.FieldValueError(respond.ContentType) is { } error) problems.Add($"{path}.contentType", $"{CharacterText.Quote(respond.ContentType)} {error}");
        Headers($"{path}.headers", respond.Headers, problems);
        foreach (string name in respond.Headers.Keys)
        {
            string? instead = name.ToLowerInvariant() switch
            {
                "content-type" => "is set with \"contentType\"",
                "content-length" or "transfer-encoding" or "connection" or "keep-alive" or "upgrade" or "trailer" or "date" => "is set by the balancer itself",
                _ => null,
            };
            if (instead is not null) problems.Add(ConfigPath.Member($"{path}.headers", name), $"\"{name}\" {instead}");
        }
    }

    internal static void Headers(string path, IReadOnlyDictionary<string, string> headers, ProblemList problems)
    {
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach ((string name, string value) in headers)
        {
            string item = ConfigPath.Member(path, name);
            if (!HttpSyntax.IsToken(name)) problems.Add(item, $"{CharacterText.Quote(name)} is no header name; expected letters, digits and \"-\"");
            else if (!names.Add(name)) problems.Add(item, $"\"{name}\" is given twice; header names do not depend on case");
            if (HttpSyntax.FieldValueError(value) is { } error) problems.Add(item, $"{CharacterText.Quote(value)} {error}");
        }
    }

    // Everything that takes part in matching, in an order that does not depend on how it was written. Separators are control
    // characters, which no valid part contains.
    private static string MatchKey(RouteConfig route) => string.Join('\u0001',
        string.Join('\u0002', route.Listeners.Order(StringComparer.Ordinal)),
        string.Join('\u0002', route.Hosts.Select(h => h.ToLowerInvariant()).Order(StringComparer.Ordinal)),
        PathPattern.Shape(route.Path),
        string.Join('\u0002', route.Methods.Order(StringComparer.Ordinal)),
        string.Join('\u0002', route.Headers.Select(h => $"{h.Key.ToLowerInvariant()}\u0003{h.Value}").Order(StringComparer.Ordinal)),
        string.Join('\u0002', route.Cookies.Select(c => $"{c.Key}\u0003{c.Value}").Order(StringComparer.Ordinal)));
}
