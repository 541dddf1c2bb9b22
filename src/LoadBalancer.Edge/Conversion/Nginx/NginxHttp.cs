using System.Globalization;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Edge.Conversion.Nginx;

/// <summary>The http context: listeners, and a route for each location.</summary>
internal sealed class NginxHttp(DraftObject config, NginxClusters clusters, Action<NginxDirective, string> differs)
{
    private const long BodyBytesMax = 1 << 20; // nginx's default of client_max_body_size
    private readonly NginxListeners _listeners = new(differs);
    private readonly NginxLocations _locations = new(config, clusters, differs);
    private readonly NginxAccess _access = new(config, differs);
    private readonly HashSet<string> _matches = new(StringComparer.Ordinal);
    private bool _hasToldOfSlashes;

    internal void Convert(List<NginxDirective> block, NginxScope http)
    {
        clusters.Add(block);
        _locations.AddZones(block);
        var servers = new List<NginxServer>();
        foreach (NginxDirective directive in block)
        {
            if (directive.Name == "map" && directive.Arg(0) == "$http_upgrade") directive.IsUsed = true; // for the Connection of WebSockets, which lb sets
            if (directive.Name == "map" && directive.Block is not null) foreach (NginxDirective entry in directive.Block) entry.IsUsed = true;
            if (directive is not { Name: "server", Block: not null }) continue;
            directive.IsUsed = true;
            var server = new NginxServer(directive, new NginxScope(directive.Block, http));
            Names(server);
            _listeners.Add(server);
            servers.Add(server);
        }
        _listeners.Complete(listener => listener.IsEncrypted ? "https" : "http");
        AccessLog(http);
        foreach (NginxListener listener in _listeners.All.ToArray())
            if (!TryListener(listener)) _listeners.Remove(listener);
        foreach (NginxServer server in servers) Server(server);
    }

    private void Names(NginxServer server)
    {
        foreach (NginxDirective names in server.Scope.Own("server_name"))
            foreach (string name in names.Args)
            {
                if (name is "" or "_" || server.Names.Contains(name, StringComparer.OrdinalIgnoreCase)) continue;
                if (name.StartsWith('.') && name.Length > 1) // ".example.com": itself and all below
                {
                    server.Names.Add(name[1..]);
                    server.Names.Add("*" + name);
                }
                else if (HostName.PatternError(name) is null) server.Names.Add(name);
                else if (name.StartsWith('~')) differs(names, $"lb matches no names by regular expressions: {name}");
                else if (name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')) continue; // a name that stands for none, such as "catch_all"
                else differs(names, $"lb cannot match the name {name}");
            }
    }

    private void AccessLog(NginxScope http)
    {
        if (http.Own("access_log") is not [var log, ..] || log.Arg(0) == "off") return;
        string path = log.Arg(0) == "/dev/stdout" ? "stdout" : log.Arg(0);
        if (path.StartsWith("syslog:", StringComparison.Ordinal) || path.Contains('$')) differs(log, "left out");
        else
        {
            if (log.Args.Length > 1 && log.Arg(1) is not ("combined" or "main")) differs(log, "written in the format \"combined\"");
            config.Add("accessLog", new DraftObject().Add("format", "combined").Add("path", path), log.Place);
        }
    }

    // False where lb cannot be as nginx is there.
    private bool TryListener(NginxListener listener)
    {
        NginxServer server = listener.Default!;
        NginxScope scope = server.Scope;
        var draft = new DraftObject().Add("address", listener.Address).Add("backlog", listener.Backlog);
        if (listener.Host == "[::]") draft.Add("dualStack", false);
        if (!NginxPeers.TryProxyProtocol(listener, scope, draft, differs)) return false;
        if (scope.Find("real_ip_header") is { } field)
        {
            if (!listener.HasProxyProtocol && field.Arg(0).Equals("X-Forwarded-For", StringComparison.OrdinalIgnoreCase)) draft.Add("trustedProxies", NginxPeers.Trusted(scope, differs));
            else if (!listener.HasProxyProtocol || field.Arg(0) != "proxy_protocol") differs(field, "left out: lb finds clients in PROXY headers, X-Forwarded-For and Forwarded");
        }
        if (listener.IsEncrypted)
        {
            if (NginxTls.Of(listener, differs) is not { } tls) return false;
            draft.Add("tls", tls);
        }
        _access.Add(listener, draft);
        var limits = new DraftObject();
        if (scope.Find("client_header_timeout") is { } head) limits.Add("requestHeadTimeout", NginxValues.Duration(head.Arg(0)));
        if (scope.Find("client_body_timeout") is { } body) limits.Add("requestBodyIdleTimeout", NginxValues.Duration(body.Arg(0)));
        if (scope.Find("send_timeout") is { } send) limits.Add("writeIdleTimeout", NginxValues.Duration(send.Arg(0)));
        if (scope.Find("keepalive_timeout") is { } idle && NginxValues.Time(idle.Arg(0)) is { } time && time > TimeSpan.Zero) limits.Add("keepAliveTimeout", NginxValues.Duration(time));
        if (scope.Find("keepalive_requests") is { } requests) limits.Add("requestsPerConnectionMax", NginxValues.Count(requests.Arg(0)));
        if (scope.Find("large_client_header_buffers") is { } buffers && NginxValues.Count(buffers.Arg(0)) is { } count && NginxValues.Size(buffers.Arg(1)) is { } size)
            limits.Add("requestLineBytesMax", NginxValues.SizeText(size)).Add("requestHeadBytesMax", NginxValues.SizeText(Math.Min(count * size, 64 * 1024)));
        draft.Add("limits", limits);
        config.Child("listeners").Add(listener.Name, draft, server.Directive.Place);
        return true;
    }

    private void Server(NginxServer server)
    {
        if (server.Listeners.Count == 0) return;
        // Where it is the default it gets every host that no other server has. Its own names matter there only before wildcards of others.
        NginxListener[] defaults = [.. server.Listeners.Where(listener => listener.Default == server)];
        NginxListener[] named = [.. server.Listeners.Where(listener => listener.Default != server || listener.Servers.Exists(other => other != server && other.Names.Exists(name => name.StartsWith('*'))))];
        if (named.Length > 0 && server.Names.Count == 0) named = [];
        if (defaults.Length == 0 && named.Length == 0) differs(server.Directive, "has no name that lb can match, and is not the default: no request reaches it");
        foreach ((NginxListener[] listeners, string[] hosts) in ((NginxListener[], string[])[])[(named, [.. server.Names]), (defaults, [])])
        {
            if (listeners.Length == 0) continue;
            bool? isEncrypted = listeners.All(listener => listener.IsEncrypted) ? true : listeners.Any(listener => listener.IsEncrypted) ? null : false;
            var place = new RoutePlace(server, listeners, listeners.Length == _listeners.All.Count ? [] : [.. listeners.Select(listener => listener.Name)], hosts, isEncrypted);
            // "return" of a server comes before its locations.
            if (server.Scope.Own("return").Count > 0) Route(place, "/**", "/", server.Scope, server.Directive);
            else if (!Locations(place, server.Directive.Block!, server.Scope)) Refuse(place, "/**", 404, server.Directive, "no location of the server is for other paths");
        }
    }

    // Whether one of them is for every path.
    private bool Locations(RoutePlace place, List<NginxDirective> block, NginxScope outer)
    {
        bool isWhole = false;
        foreach (NginxDirective location in block)
        {
            if (location is not { Name: "location", Block: not null }) continue;
            location.IsUsed = true;
            (string modifier, string path) = location.Args is [var first, var second] ? (first, second) : ("", location.Arg(0));
            if (modifier is "~" or "~*" || path.StartsWith('@') || !path.StartsWith('/'))
            {
                string rules = path.StartsWith('@') || !NginxAccess.Asks(location) ? "" : "; what it matches goes to wider locations, WITHOUT its rules about who may";
                MarkAll(location.Block);
                differs(location, path.StartsWith('@') ? "lb has no named locations" : $"lb matches no paths by regular expressions{rules}");
                continue;
            }
            var scope = new NginxScope(location.Block, outer);
            bool isExact = modifier == "=";
            string match = isExact ? path : path.EndsWith('/') ? path + "**" : path + "/**";
            if (PathPatternError(match) is { } error)
            {
                differs(location, $"lb cannot match this path: it {error}");
                continue;
            }
            isWhole |= match == "/**";
            if (match != "/**" && !_hasToldOfSlashes)
            {
                _hasToldOfSlashes = true;
                differs(location, "nginx merges slashes and decodes \"%2F\" before it looks for a location, here and elsewhere; lb does neither, so \"//x\" and \"/a%2Fx\" may come to another route");
            }
            if (!isExact && !path.EndsWith('/')) differs(location, $"matches {path} and what is below it, not other paths that begin so");
            Route(place, match, path, scope, location);
            // nginx redirects "/path" to "/path/" where that is a location that proxies.
            if (!isExact && path.EndsWith('/') && path.Length > 1 && scope.Block.Any(pass => pass.Name == "proxy_pass") && !block.Exists(other => other.Name == "location" && other.Args is [.., var same] && same == path[..^1] && (other.Args.Length == 1 || other.Arg(0) == "=")))
            {
                if (scope.Find("internal") is not null) Refuse(place, path[..^1], 404, location, "internal");
                else Add(place, path[..^1], new DraftObject().Add("redirect", new DraftObject().Add("to", path + "{query}").Add("status", 301)), location);
            }
            Locations(place, location.Block, scope);
        }
        return isWhole;
    }

    private void Route(RoutePlace place, string match, string prefix, NginxScope scope, NginxDirective source)
    {
        if (_access.Status(scope, place.Server, place.On) is { } status)
        {
            Refuse(place, match, status, source, "not for everybody: see the list above");
            Block(place, match == prefix || !prefix.EndsWith('/') ? match : prefix + "*", status, source);
            return;
        }
        var route = new DraftObject();
        if (!_locations.TryAct(scope, prefix, place.IsEncrypted, route))
        {
            // Not left to a wider route: it would get requests that were never meant for it.
            Refuse(place, match, 501, source, "nothing here is for lb: see the list above");
            return;
        }
        NginxDirective? body = scope.Find("client_max_body_size");
        long bytes = body is null ? BodyBytesMax : NginxValues.Size(body.Arg(0)) ?? BodyBytesMax;
        if (bytes > 0 && route.Has("cluster")) route.Add("requestBodyBytesMax", NginxValues.SizeText(bytes));
        Add(place, match, route, source);
    }

    // nginx looks for locations by the decoded path with its slashes merged; lb's routes do not, its rules do. Only where no other location would be hit.
    private void Block(RoutePlace place, string pattern, int status, NginxDirective source)
    {
        string start = pattern.TrimEnd('*');
        if (pattern is "/*" or "/**" || (place.Hosts.Length == 0 && place.On.Any(listener => listener.Servers.Count > 1)) || HasBelow(place.Server.Directive.Block!)) return;
        DraftObject rules = config.Child("blockRules");
        rules.Add(string.Create(CultureInfo.InvariantCulture, $"closed-{rules.Count + 1}"),
            new DraftObject().Add("listeners", place.Listeners).Add("hosts", place.Hosts).Add("paths", new[] { pattern }).Add("status", status), $"{source.Place}: in any case and encoding of the path");

        bool HasBelow(List<NginxDirective> block) => block.Exists(other => other is { Name: "location", Block: not null }
            && ((other != source && other.Args is [.., var path] && (path + "/").StartsWith(start, StringComparison.OrdinalIgnoreCase)) || HasBelow(other.Block)));
    }

    private void Refuse(RoutePlace place, string match, int status, NginxDirective source, string why) =>
        Add(place, match, new DraftObject().Add("respond", new DraftObject().Add("status", status)), source, why);

    private void Add(RoutePlace place, string match, DraftObject action, NginxDirective source, string? why = null)
    {
        string key = $"{string.Join(',', place.Listeners)} {string.Join(',', place.Hosts)} {match}";
        if (!_matches.Add(key))
        {
            differs(source, "matches what another one has matched before");
            return;
        }
        var route = new DraftObject().Add("listeners", place.Listeners).Add("hosts", place.Hosts).Add("path", match == "/**" ? null : match);
        action.CopyTo(route);
        DraftObject routes = config.Child("routes");
        string server = place.Hosts is [var host, ..] ? host : place.Listeners is [var listener, ..] ? listener : "default";
        string name = match == "/**" ? server : server + match;
        if (name.Length > 100) name = name[..100];
        string free = name;
        for (int i = 2; routes.Has(free); i++) free = string.Create(CultureInfo.InvariantCulture, $"{name} {i}");
        routes.Add(free, route, why is null ? source.Place : $"{source.Place}: {why}");
    }

    private static string? PathPatternError(string match) => match.AsSpan().ContainsAny("{}?#") ? "has characters that mean something else in lb" : PathPattern.Error(match);

    private static void MarkAll(List<NginxDirective> block)
    {
        foreach (NginxDirective directive in block)
        {
            directive.IsUsed = true; // told of with its block
            if (directive.Block is not null) MarkAll(directive.Block);
        }
    }

    /// <summary>For which requests a server's routes are.</summary>
    private sealed record RoutePlace(NginxServer Server, NginxListener[] On, string[] Listeners, string[] Hosts, bool? IsEncrypted);
}
