using System.Globalization;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Edge.Conversion.Nginx;

/// <summary>
/// Makes clusters of upstream blocks and of addresses in "proxy_pass". What lb keeps with a cluster stands in nginx with the location, so one upstream becomes as many clusters as there are
/// different settings for it.
/// </summary>
internal sealed class NginxClusters(Action<NginxDirective, string> differs, NginxClusters? shared = null)
{
    private readonly Dictionary<string, NginxDirective> _upstreams = new(StringComparer.Ordinal); // http and stream have their own
    private readonly List<(string Name, string Content)> _made = shared?._made ?? [];
    private readonly DraftObject _clusters = shared?._clusters ?? new();

    internal DraftObject Clusters => _clusters;

    /// <summary>Takes the upstream blocks of a context.</summary>
    internal void Add(IEnumerable<NginxDirective> block)
    {
        foreach (NginxDirective directive in block)
            if (directive is { Name: "upstream", Args: [var name], Block: not null }) _upstreams[name] = directive;
    }

    /// <summary>Name of the cluster for an authority of "proxy_pass" with the settings of a place.</summary>
    /// <param name="authority">Name of an upstream block, "host:port", "unix:/path".</param>
    /// <param name="pass">The directive it stands in.</param>
    /// <param name="settings">What else the cluster has.</param>
    /// <param name="scheme">"http", "https", or null for TCP.</param>
    internal string? Get(string authority, NginxDirective pass, DraftObject settings, string? scheme)
    {
        var cluster = new DraftObject();
        string name, place;
        if (_upstreams.TryGetValue(authority, out NginxDirective? upstream))
        {
            upstream.IsUsed = true;
            (name, place) = (authority, upstream.Place);
            Upstream(upstream, cluster, scheme);
        }
        else
        {
            if (Address(authority, scheme) is not { } address) return null;
            (name, place) = (authority.StartsWith("unix:", StringComparison.Ordinal) ? Path.GetFileNameWithoutExtension(authority) : authority, pass.Place);
            cluster.Child("destinations").Add("s1", address);
        }
        settings.CopyTo(cluster);
        string content = cluster.ToString();
        foreach ((string made, string other) in _made)
            if (other == content && (made == name || made.StartsWith(name + "-", StringComparison.Ordinal))) return made;
        string free = name;
        for (int i = 2; _clusters.Has(free); i++) free = string.Create(CultureInfo.InvariantCulture, $"{name}-{i}");
        _clusters.Add(free, cluster, place);
        _made.Add((free, content));
        return free;
    }

    private void Upstream(NginxDirective upstream, DraftObject cluster, string? scheme)
    {
        var scope = new NginxScope(upstream.Block!, null);
        string balance = "round-robin"; // nginx's own default
        string? hashOn = null;
        foreach (NginxDirective directive in upstream.Block!)
            switch (directive.Name)
            {
                case "least_conn":
                    balance = "least-outstanding";
                    directive.IsUsed = true;
                    break;
                case "ip_hash":
                    (balance, hashOn) = ("consistent-hash", "ip");
                    Note(directive, "clients keep to one server, but another one than with nginx: the hash functions differ");
                    break;
                case "hash" when HashKey(directive.Arg(0)) is { } key:
                    (balance, hashOn) = ("consistent-hash", key);
                    Note(directive, "keys keep to one server, but another one than with nginx: the hash functions differ");
                    break;
                case "random":
                    balance = directive.Arg(0) == "two" ? "power-of-two" : "random";
                    directive.IsUsed = true;
                    break;
                case "least_time":
                    balance = "least-time";
                    directive.IsUsed = true;
                    break;
                case "zone" or "resolver" or "resolver_timeout":
                    directive.IsUsed = true; // lb counts over all its loops, and follows names by their TTL
                    break;
            }
        cluster.Add("balance", balance).Add("hashOn", hashOn);

        NginxDirective[] servers = [.. upstream.Block!.Where(directive => directive.Name == "server")];
        DraftObject destinations = cluster.Child("destinations");
        foreach (NginxDirective server in servers)
        {
            server.IsUsed = true;
            if (server.Args.Contains("down"))
            {
                differs(server, "is down, and left out");
                continue;
            }
            if (Address(server.Arg(0), scheme) is not { } address)
            {
                differs(server, "is no address that lb can connect to");
                continue;
            }
            var destination = new DraftObject();
            destination.Add("address", address);
            if (NginxValues.Count(NginxValues.Option(server.Args, "weight")) is { } weight and not 1) destination.Add("weight", weight);
            if (NginxValues.Count(NginxValues.Option(server.Args, "max_conns")) is { } max and not 0) destination.Add("requestsMax", max);
            if (server.Args.Contains("backup")) destination.Add("tier", 1);
            destinations.Add(string.Create(CultureInfo.InvariantCulture, $"s{destinations.Count + 1}"), destination.Count == 1 ? address : destination);
            foreach (string option in server.Args.Skip(1))
                if (option.Split('=')[0] is not ("weight" or "max_conns" or "backup" or "max_fails" or "fail_timeout" or "slow_start" or "resolve")) differs(server, $"the option \"{option}\" is left out");
        }
        if (servers.Select(server => NginxValues.Option(server.Args, "slow_start")).OfType<string>().FirstOrDefault() is { } slowStart) cluster.Add("slowStart", NginxValues.Duration(slowStart));
        cluster.Add("ejection", Ejection(servers));

        var pool = new DraftObject();
        if (scope.Find("keepalive") is { } keepAlive) pool.Add("idleConnectionsMax", NginxValues.Count(keepAlive.Arg(0)));
        if (scope.Find("keepalive_timeout") is { } idle) pool.Add("idleTimeout", NginxValues.Duration(idle.Arg(0)));
        if (scope.Find("keepalive_time") is { } life) pool.Add("lifeMax", NginxValues.Duration(life.Arg(0)));
        cluster.Add("pool", pool);
        if (scope.Find("queue") is { } queue && NginxValues.Count(queue.Arg(0)) is { } length)
            cluster.Add("queue", new DraftObject().Add("requestsMax", length).Add("timeout", NginxValues.Duration(NginxValues.Option(queue.Args, "timeout") ?? "60s")));
        foreach (NginxDirective left in upstream.Block!.Where(directive => !directive.IsUsed)) differs(left, "is left out");
    }

    // nginx: after max_fails (1) failures within fail_timeout (10 s) a server is left alone for as long. lb's own defaults stand where nothing is said.
    private DraftObject? Ejection(NginxDirective[] servers)
    {
        int[] fails = Said("max_fails") ? [.. servers.Select(server => NginxValues.Count(NginxValues.Option(server.Args, "max_fails")) ?? 1).Distinct()] : [];
        string[] times = Said("fail_timeout") ? [.. servers.Select(server => NginxValues.Option(server.Args, "fail_timeout") ?? "10s").Distinct()] : [];
        if (fails.Length == 0 && times.Length == 0) return null;
        if (fails.Length > 1 || times.Length > 1) differs(servers[0], "max_fails and fail_timeout are one for the whole cluster in lb: the largest are taken");
        var ejection = new DraftObject();
        if (fails is [0]) return ejection.Add("enabled", false);
        if (fails.Length > 0) ejection.Add("consecutiveFailures", fails.Max());
        if (times.Select(NginxValues.Time).OfType<TimeSpan>().DefaultIfEmpty().Max() is var longest && longest > TimeSpan.Zero) ejection.Add("duration", NginxValues.Duration(longest));
        return ejection;

        bool Said(string option) => servers.Any(server => NginxValues.Option(server.Args, option) is not null);
    }

    private void Note(NginxDirective directive, string text)
    {
        directive.IsUsed = true;
        differs(directive, text);
    }

    private static string? HashKey(string text) => text switch
    {
        "$request_uri" or "$uri" or "$document_uri" => "path",
        _ when text.StartsWith("$arg_", StringComparison.Ordinal) => "query:" + text[5..],
        _ => NginxValues.Key(text, "ip") is [var one] && (one is "ip" or "path" || one.StartsWith("header:", StringComparison.Ordinal) || one.StartsWith("cookie:", StringComparison.Ordinal)) ? one : null,
    };

    private static string? Address(string text, string? scheme)
    {
        if (text.StartsWith("unix:", StringComparison.Ordinal)) return text.TrimEnd(':');
        if (text.Contains('$')) return null;
        int colon = text.LastIndexOf(':');
        bool hasPort = colon > 0 && text[^1] != ']' && text.AsSpan(colon + 1).IndexOfAnyExceptInRange('0', '9') < 0;
        if (!hasPort && scheme is null) return null; // nginx asks for one too
        string address = hasPort ? text : $"{text}:{(scheme == "https" ? 443 : 80)}";
        return HostName.IsValidAuthority(address) ? address : null;
    }
}
