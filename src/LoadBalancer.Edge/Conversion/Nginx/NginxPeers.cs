namespace LoadBalancer.Edge.Conversion.Nginx;

/// <summary>Which proxies before a listener are believed, and what of them stands in its configuration.</summary>
internal static class NginxPeers
{
    /// <summary>The addresses of "set_real_ip_from" that lb can believe.</summary>
    internal static string[] Trusted(NginxScope scope, Action<NginxDirective, string> differs)
    {
        var trusted = new List<string>();
        foreach (NginxDirective from in scope.All("set_real_ip_from"))
            if (NginxAddresses.Block(from.Arg(0)) is { } block) trusted.Add(block);
            else differs(from, "lb believes addresses alone: left out");
        return [.. trusted];
    }

    /// <summary>Writes the PROXY protocol of a listener; false where lb would serve nobody with it, or, worse, without it.</summary>
    internal static bool TryProxyProtocol(NginxListener listener, NginxScope scope, DraftObject draft, Action<NginxDirective, string> differs)
    {
        if (!listener.HasProxyProtocol) return true;
        string[] peers = Trusted(scope, differs);
        // On a Unix socket the permissions of its file decide who is believed.
        if (listener.Socket is not null) draft.Add("proxyProtocol", new DraftObject().Add("mode", "required"));
        else if (peers.Length > 0) draft.Add("proxyProtocol", new DraftObject().Add("trustedPeers", peers));
        else
        {
            differs(listener.Directive, "nginx takes PROXY headers of everybody, lb of those alone that \"set_real_ip_from\" names, which is missing: the listener is left out");
            return false;
        }
        return true;
    }
}
