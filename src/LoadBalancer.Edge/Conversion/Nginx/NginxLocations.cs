using System.Globalization;

namespace LoadBalancer.Edge.Conversion.Nginx;

/// <summary>What locations do with requests: forward, redirect, answer. One for all servers of a configuration, as what they share has names.</summary>
internal sealed class NginxLocations(DraftObject config, NginxClusters clusters, Action<NginxDirective, string> differs)
{
    private readonly Dictionary<string, string> _policies = new(StringComparer.Ordinal); // by content
    private readonly Dictionary<string, NginxDirective> _zones = new(StringComparer.Ordinal);
    private readonly Dictionary<NginxDirective, string> _counters = []; // the first limit of a zone
    private readonly HashSet<string> _caches = new(StringComparer.Ordinal);
    private NginxDirective? _log; // of http

    /// <summary>Takes what http says of limits and caches, by name, and of the log.</summary>
    internal void AddZones(IEnumerable<NginxDirective> http)
    {
        foreach (NginxDirective directive in http)
        {
            if (directive.Name is "limit_req_zone" or "limit_conn_zone" && NginxValues.Option(directive.Args, "zone") is { } zone) _zones[$"{directive.Name}:{zone.Split(':')[0]}"] = directive;
            if (directive.Name == "access_log") _log ??= directive;
            if (directive.Name == "proxy_cache_path" && NginxValues.Option(directive.Args, "keys_zone") is { } keys) _zones[$"proxy_cache_path:{keys.Split(':')[0]}"] = directive;
        }
    }

    /// <summary>Writes what becomes of the requests of a place into its route; false where lb cannot do it.</summary>
    /// <param name="scope">The location's, or the server's.</param>
    /// <param name="prefix">Path of the location, as it was written.</param>
    /// <param name="isEncrypted">Of the listeners: null where some are and some are not.</param>
    /// <param name="route">Has its match already.</param>
    internal bool TryAct(NginxScope scope, string prefix, bool? isEncrypted, DraftObject route)
    {
        if (scope.Find("access_log") is { } log && log != _log && log.Arg(0) == "off") route.Add("log", false);
        if (scope.Own("return") is [var answer, ..]) return TryReturn(answer, scope, isEncrypted, route);
        return scope.Own("proxy_pass") is [var pass, ..] && TryPass(pass, scope, prefix, route);
    }

    private bool TryReturn(NginxDirective answer, NginxScope scope, bool? isEncrypted, DraftObject route)
    {
        int? status = NginxValues.Count(answer.Arg(0));
        string text = status is null ? answer.Arg(0) : answer.Arg(1);
        if (status is null or 301 or 302 or 303 or 307 or 308)
        {
            if (Location(text, isEncrypted) is not { } to) return Unmapped(answer);
            route.Add("redirect", new DraftObject().Add("to", to).Add("status", status ?? 302));
            return true;
        }
        if (status is < 200 or > 599 or 444 || text.Contains('$')) return Unmapped(answer);
        var respond = new DraftObject().Add("status", status);
        if (text.Length > 0)
        {
            respond.Add("body", text);
            respond.Add("contentType", scope.Find("default_type")?.Arg(0) ?? "text/plain");
        }
        route.Add("respond", respond);
        Fields(scope, route);
        return true;
    }

    // The Location of a redirect, where lb has the variables.
    private static string? Location(string text, bool? isEncrypted)
    {
        string? scheme = isEncrypted switch { true => "https", false => "http", null => null };
        if (text.Contains("$scheme", StringComparison.Ordinal) && scheme is null) return null;
        string to = text.Replace("${", "$", StringComparison.Ordinal).Replace("}", "", StringComparison.Ordinal)
            .Replace("$scheme", scheme ?? "", StringComparison.Ordinal).Replace("$http_host", "{host}", StringComparison.Ordinal).Replace("$host", "{host}", StringComparison.Ordinal)
            .Replace("$request_uri", "{path}{query}", StringComparison.Ordinal).Replace("$is_args$args", "{query}", StringComparison.Ordinal).Replace("$uri", "{path}", StringComparison.Ordinal);
        return to.Contains('$') || Core.Configuration.RedirectTarget.Error(to) is not null ? null : to;
    }

    private bool TryPass(NginxDirective pass, NginxScope scope, string prefix, DraftObject route)
    {
        string url = pass.Arg(0);
        string? scheme = url.StartsWith("http://", StringComparison.Ordinal) ? "http" : url.StartsWith("https://", StringComparison.Ordinal) ? "https" : null;
        if (scheme is null || url.Contains('$')) return Unmapped(pass);
        string rest = url[(scheme.Length + 3)..];
        int slash = rest.StartsWith("unix:", StringComparison.Ordinal) ? rest.IndexOf(':', 5) : rest.IndexOf('/');
        string authority = slash < 0 ? rest : rest[..slash];
        string? path = slash < 0 ? null : rest[slash..].TrimStart(':');
        if (path?.Length == 0) path = null;

        var settings = new DraftObject();
        string? host = Host(scope, rest.StartsWith("unix:", StringComparison.Ordinal) ? "localhost" : authority);
        if (host != "client") settings.Add("host", host);
        Times(scope, settings);
        if (scheme == "https") settings.Add("tls", Tls(scope));
        if (clusters.Get(authority, pass, settings, scheme) is not { } cluster) return Unmapped(pass);
        route.Add("cluster", cluster);
        NginxDirective? redirect = scope.Find("proxy_redirect");
        // What nginx does where nothing is said: a destination that was asked by its own name redirects to it.
        if (redirect is null or { Args: ["default"] })
        {
            if (host == authority) differs(redirect ?? pass, $"Location of answers is not changed from {scheme}://{authority}{path} to {prefix}; with \"proxy_set_header Host $host\" destinations redirect to what the client asked for");
        }
        else if (redirect.Arg(0) != "off") differs(redirect, "Location is not changed");
        Limits(scope, route);
        Fields(scope, route, path is null || path == prefix ? null : Rewrite(pass, prefix, path));
        Cache(scope, route);
        return true;
    }

    // "proxy_pass http://up/x/" in "location /a/": what stands for "/a/" is "/x/".
    private string? Rewrite(NginxDirective pass, string prefix, string path)
    {
        if (!prefix.EndsWith('/') || !path.EndsWith('/'))
        {
            differs(pass, $"the path is not changed from {prefix} to {path}: lb changes whole segments; both must end with \"/\"");
            return null;
        }
        var rules = new List<DraftObject> { new DraftObject().Add("v1", prefix + "**").Add("v2", path + "**") };
        var policy = new DraftObject().Add("translate", new DraftObject().Add("map", new DraftObject().Add("routes", rules)));
        return Policy("rewrite", policy, pass);
    }

    private string Policy(string kind, DraftObject policy, NginxDirective source)
    {
        string content = policy.ToString();
        if (_policies.TryGetValue(content, out string? name)) return name;
        name = string.Create(CultureInfo.InvariantCulture, $"{kind}-{_policies.Count + 1}");
        config.Child("policies").Add(name, policy, source.Place);
        return _policies[content] = name;
    }

    // nginx sends the authority of proxy_pass where nothing is said.
    private string? Host(NginxScope scope, string authority)
    {
        foreach (NginxDirective set in scope.All("proxy_set_header"))
        {
            if (!set.Arg(0).Equals("host", StringComparison.OrdinalIgnoreCase)) continue;
            string value = set.Arg(1);
            if (value is "$host" or "$http_host" or "$host:$server_port" or "${host}") return "client";
            if (!value.Contains('$')) return value;
            if (value != "$proxy_host") differs(set, "the client's Host is sent");
            return value == "$proxy_host" ? authority : "client";
        }
        return authority;
    }

    private void Times(NginxScope scope, DraftObject cluster)
    {
        if (scope.Find("proxy_connect_timeout") is { } connect) cluster.Add("connectTimeout", NginxValues.Duration(connect.Arg(0)));
        NginxDirective? read = scope.Find("proxy_read_timeout"), send = scope.Find("proxy_send_timeout");
        cluster.Add("responseHeadTimeout", read is null ? "1m" : NginxValues.Duration(read.Arg(0))); // nginx's default, longer than lb's
        if ((NginxValues.Time(read?.Arg(0) ?? ""), NginxValues.Time(send?.Arg(0) ?? "")) is var (a, b) && (a ?? b) is not null)
            cluster.Add("idleTimeout", NginxValues.Duration(a > b || b is null ? a!.Value : b.Value));
        if (read is not null) cluster.Add("tunnelIdleTimeout", NginxValues.Duration(read.Arg(0)));
        NginxDirective? next = scope.Find("proxy_next_upstream"), tries = scope.Find("proxy_next_upstream_tries");
        if (next?.Arg(0) == "off") cluster.Add("retriesMax", 0);
        else if (tries is not null && NginxValues.Count(tries.Arg(0)) is { } count and > 0) cluster.Add("retriesMax", count - 1);
        if (next is not null && next.Args.Any(arg => arg.StartsWith("http_", StringComparison.Ordinal) || arg == "non_idempotent"))
            differs(next, "lb repeats what is safe to repeat, after failures of the connection; never for a status");
    }

    private static object Tls(NginxScope scope)
    {
        var tls = new DraftObject();
        bool verifies = scope.Find("proxy_ssl_verify")?.Arg(0) == "on";
        if (!verifies) tls.Add("verify", false); // nginx's default, not lb's
        if (scope.Find("proxy_ssl_trusted_certificate") is { } ca && verifies) tls.Add("ca", ca.Arg(0));
        if (scope.Find("proxy_ssl_name") is { } name && !name.Arg(0).Contains('$')) tls.Add("serverName", name.Arg(0));
        if (scope.Find("proxy_ssl_certificate") is { } certificate)
            tls.Add("certificate", new DraftObject().Add("file", certificate.Arg(0)).Add("key", scope.Find("proxy_ssl_certificate_key")?.Arg(0)));
        scope.Find("proxy_ssl_server_name");
        return tls.Count == 0 ? true : tls;
    }

    private void Fields(NginxScope scope, DraftObject route, string? rewrite = null)
    {
        DraftObject request = new(), response = new(), set = new(), added = new();
        List<string> removed = [], hidden = [];
        NginxDirective? source = null;
        foreach (NginxDirective field in route.Has("cluster") ? scope.All("proxy_set_header") : [])
        {
            string name = field.Arg(0).ToLowerInvariant(), value = field.Arg(1);
            // lb knows better how messages are framed.
            if (name is "host" or "connection") continue;
            if (name is "upgrade" or "x-forwarded-proto" or "x-forwarded-host" or "x-forwarded-for" or "forwarded" or "via")
            {
                if (!IsOwnField(name, value)) differs(field, $"left out: lb sets this field by itself ({(name == "upgrade" ? "clients may upgrade" : "keys \"forwarded\" and \"trustedProxies\" of the listener")})");
                continue;
            }
            if (value.Contains('$')) differs(field, "lb's fields have fixed values; the destination finds the client in X-Forwarded-For, a script can set others");
            else if (value.Length == 0) removed.Add(field.Arg(0));
            else if (!set.Has(field.Arg(0))) set.Add(field.Arg(0), value);
            source ??= field;
        }
        foreach (NginxDirective field in scope.All("add_header"))
        {
            if (field.Arg(1).Contains('$')) differs(field, "lb's fields have fixed values");
            else if (!added.Has(field.Arg(0)) && field.Arg(1).Length > 0) added.Add(field.Arg(0), field.Arg(1));
            source ??= field;
        }
        foreach (NginxDirective field in scope.All("proxy_hide_header"))
        {
            hidden.Add(field.Arg(0));
            source ??= field;
        }
        var policies = new List<string>();
        if (rewrite is not null) policies.Add(rewrite);
        if (!route.Has("cluster"))
        {
            // What lb answers itself goes through no policy; a fixed answer has fields of its own.
            if (added.Count > 0) route.Child("respond").Add("headers", added);
            return;
        }
        request.Add("remove", removed).Add("set", set);
        response.Add("remove", hidden).Add("add", added);
        var headers = new DraftObject().Add("request", request).Add("response", response);
        if (headers.Count > 0) policies.Add(Policy("headers", new DraftObject().Add("headers", headers), source!));
        route.Add("policies", policies);
    }

    // Whether nginx was told to send what lb sends anyway.
    private static bool IsOwnField(string name, string value) => (name, value.Replace("{", "", StringComparison.Ordinal).Replace("}", "", StringComparison.Ordinal)) is
        ("upgrade", "$http_upgrade") or ("x-forwarded-proto", "$scheme") or ("x-forwarded-host", "$host" or "$http_host" or "$host:$server_port") or ("x-forwarded-for", "$proxy_add_x_forwarded_for" or "$remote_addr");

    private void Limits(NginxScope scope, DraftObject route)
    {
        var names = new List<string>();
        foreach (NginxDirective limit in scope.All("limit_req"))
        {
            string zone = NginxValues.Option(limit.Args, "zone") ?? "";
            if (!_zones.TryGetValue($"limit_req_zone:{zone}", out NginxDirective? declared) || NginxValues.Key(declared.Arg(0), "ip/32,128") is not { } key || Rate(NginxValues.Option(declared.Args, "rate")) is not { } rate)
            {
                differs(limit, "lb has no such limit");
                continue;
            }
            declared.IsUsed = true;
            int burst = NginxValues.Count(NginxValues.Option(limit.Args, "burst")) ?? 0;
            string name = burst == 0 ? zone : string.Create(CultureInfo.InvariantCulture, $"{zone}-burst-{burst}");
            DraftObject limits = config.Child("limits");
            // nginx lets one through, and the burst beyond it.
            if (!limits.Has(name)) limits.Add(name, new DraftObject().Add("rate", rate).Add("burst", burst + 1).Add("key", key), declared.Place);
            Counts(declared, limit, name);
            names.Add(name);
            string status = scope.Find("limit_req_status")?.Arg(0) ?? "503";
            if (status != "429") differs(limit, $"what is beyond gets 429, not {status}");
            if (burst > 0 && !limit.Args.Contains("nodelay")) differs(limit, "requests within the burst are not delayed, as if \"nodelay\" stood there");
        }
        foreach (NginxDirective limit in scope.All("limit_conn"))
        {
            if (!_zones.TryGetValue($"limit_conn_zone:{limit.Arg(0)}", out NginxDirective? declared) || NginxValues.Key(declared.Arg(0), "ip/32,128") is not { } key || NginxValues.Count(limit.Arg(1)) is not { } count)
            {
                differs(limit, "lb has no such limit");
                continue;
            }
            declared.IsUsed = true;
            string name = string.Create(CultureInfo.InvariantCulture, $"{limit.Arg(0)}-{count}");
            DraftObject limits = config.Child("limits");
            if (!limits.Has(name)) limits.Add(name, new DraftObject().Add("concurrency", count).Add("key", key), declared.Place);
            Counts(declared, limit, name);
            names.Add(name);
            string status = scope.Find("limit_conn_status")?.Arg(0) ?? "503";
            if (status != "429") differs(limit, $"what is beyond gets 429, not {status}");
        }
        route.Add("limits", names);
    }

    // Where lb does not count the same together.
    private void Counts(NginxDirective zone, NginxDirective limit, string name)
    {
        if (_counters.TryGetValue(zone, out string? first) && first != name) differs(limit, $"counts by itself; with nginx it shares the zone with what became \"{first}\"");
        else _counters[zone] = name;
        if (NginxValues.Variables(zone.Arg(0))?.Contains("server_name") == true) differs(zone, "for $server_name lb counts by the client's Host: where a server has several names, or any, each is counted by itself");
    }

    private static string? Rate(string? text) => text is null ? null : text.EndsWith("r/s", StringComparison.Ordinal) ? text[..^3] + "/s" : text.EndsWith("r/m", StringComparison.Ordinal) ? text[..^3] + "/m" : null;

    private void Cache(NginxScope scope, DraftObject route)
    {
        if (scope.Find("proxy_cache") is not { } use || use.Arg(0) == "off") return;
        if (!_zones.TryGetValue($"proxy_cache_path:{use.Arg(0)}", out NginxDirective? declared))
        {
            differs(use, "there is no such cache");
            return;
        }
        declared.IsUsed = true;
        string name = use.Arg(0);
        TimeSpan inactive = NginxValues.Time(NginxValues.Option(declared.Args, "inactive") ?? "") ?? TimeSpan.FromMinutes(10);
        if (_caches.Add(name))
        {
            var disk = new DraftObject().Add("path", declared.Arg(0));
            if (NginxValues.Size(NginxValues.Option(declared.Args, "max_size") ?? "") is { } max) disk.Add("bytesMax", NginxValues.SizeText(max));
            config.Child("caches").Add(name, new DraftObject().Add("disk", disk), declared.Place);
        }
        var ttl = new DraftObject();
        foreach (NginxDirective valid in scope.All("proxy_cache_valid"))
        {
            if (valid.Args is not [.. var statuses, var time] || NginxValues.Duration(time) is not { } duration) continue;
            foreach (string status in statuses.Length == 0 ? ["200", "301", "302"] : statuses)
                if (status == "any") differs(valid, "\"any\" is left out: lb wants each status");
                else if (!ttl.Has(status)) ttl.Add(status, duration);
        }
        var cache = new DraftObject().Add("in", name).Add("ttl", ttl);
        if (scope.Find("proxy_cache_use_stale") is { } stale && stale.Arg(0) != "off")
        {
            if (stale.Args.Any(arg => arg is "error" or "timeout" || arg.StartsWith("http_5", StringComparison.Ordinal))) cache.Add("staleIfError", NginxValues.Duration(inactive));
            if (stale.Args.Contains("updating")) cache.Add("staleWhileRevalidate", NginxValues.Duration(inactive));
        }
        if (scope.Find("proxy_cache_lock_timeout") is { } wait) cache.Add("collapseTimeout", NginxValues.Duration(wait.Arg(0)));
        if (scope.Find("proxy_cache_key") is { } key && key.Arg(0) is not ("$scheme$proxy_host$request_uri" or "$scheme$host$request_uri" or "$host$request_uri" or "$scheme$proxy_host$uri$is_args$args"))
            differs(key, "lb's key is scheme, host, path and query");
        foreach (string silent in (string[])["proxy_cache_lock", "proxy_cache_background_update", "proxy_cache_revalidate", "proxy_cache_lock_age"]) scope.Find(silent);
        route.Add("cache", cache);
    }

    private bool Unmapped(NginxDirective directive)
    {
        directive.IsUsed = true;
        differs(directive, "lb has nothing of the kind");
        return false;
    }
}
