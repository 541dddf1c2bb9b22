namespace LoadBalancer.Edge.Conversion.Nginx;

/// <summary>The stream context: listeners that forward TCP.</summary>
internal sealed class NginxStream(DraftObject config, NginxClusters clusters, Action<NginxDirective, string> differs)
{
    private readonly NginxListeners _listeners = new(differs);
    private readonly NginxAccess _access = new(config, differs);

    internal void Convert(List<NginxDirective> block, NginxScope stream)
    {
        clusters.Add(block);
        foreach (NginxDirective directive in block.Where(directive => directive is { Name: "server", Block: not null }))
        {
            directive.IsUsed = true;
            _listeners.Add(new NginxServer(directive, new NginxScope(directive.Block!, stream)));
        }
        _listeners.Complete(_ => "tcp");
        foreach (NginxListener listener in _listeners.All)
        {
            NginxServer server = listener.Default!;
            NginxScope scope = server.Scope;
            var draft = new DraftObject().Add("address", listener.Address).Add("backlog", listener.Backlog);
            if (listener.Host == "[::]") draft.Add("dualStack", false);
            // A listener that lets in more clients than nginx's, or talks to them otherwise, is worse than none.
            if (!NginxPeers.TryProxyProtocol(listener, scope, draft, differs)) continue;
            DraftObject? tls = listener.IsEncrypted ? NginxTls.Of(listener, differs) : null;
            if (listener.IsEncrypted && tls is null) continue;
            draft.Add("tls", tls);
            if (Tcp(server, scope, block) is not { } tcp || !_access.TryAddStream(listener, scope, draft)) continue;
            draft.Add("tcp", tcp);
            config.Child("listeners").Add(listener.Name, draft, server.Directive.Place);
        }
    }

    private DraftObject? Tcp(NginxServer server, NginxScope scope, List<NginxDirective> block)
    {
        if (scope.Own("proxy_pass") is not [var pass, ..])
        {
            differs(server.Directive, "sends connections nowhere that lb knows");
            return null;
        }
        var settings = new DraftObject();
        if (scope.Find("proxy_connect_timeout") is { } connect) settings.Add("connectTimeout", NginxValues.Duration(connect.Arg(0)));
        if (scope.Find("proxy_protocol")?.Arg(0) == "on") settings.Add("proxyProtocol", "v1");
        if (scope.Find("proxy_next_upstream")?.Arg(0) == "off") settings.Add("retriesMax", 0);
        if (scope.Find("proxy_ssl")?.Arg(0) == "on") settings.Add("tls", new DraftObject().Add("verify", scope.Find("proxy_ssl_verify")?.Arg(0) == "on"));
        var tcp = new DraftObject();
        if (scope.Find("ssl_preread")?.Arg(0) == "on" && block.Find(map => map.Name == "map" && map.Args is ["$ssl_preread_server_name", var variable] && variable == pass.Arg(0)) is { Block: not null } names)
        {
            names.IsUsed = true;
            var sni = new DraftObject();
            foreach (NginxDirective name in names.Block)
            {
                name.IsUsed = true;
                string? cluster = clusters.Get(name.Arg(0), name, settings, null);
                if (cluster is null || (name.Name != "default" && Core.Configuration.HostName.PatternError(name.Name) is not null)) differs(name, "left out");
                else if (name.Name == "default") tcp.Add("cluster", cluster);
                else sni.Add(name.Name, cluster);
            }
            tcp.Add("sni", sni);
        }
        else if (clusters.Get(pass.Arg(0), pass, settings, null) is { } cluster) tcp.Add("cluster", cluster);
        else
        {
            differs(pass, "lb cannot connect to this");
            return null;
        }
        if (scope.Find("proxy_timeout") is { } idle) tcp.Add("idleTimeout", NginxValues.Duration(idle.Arg(0)));
        return tcp;
    }
}
