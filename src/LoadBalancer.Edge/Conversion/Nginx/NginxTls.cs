namespace LoadBalancer.Edge.Conversion.Nginx;

/// <summary>TLS of a listener, of what its servers say.</summary>
internal static class NginxTls
{
    /// <summary>Null where lb cannot be as nginx is there: such a listener must not become one without TLS, or without asking who a client is.</summary>
    internal static DraftObject? Of(NginxListener listener, Action<NginxDirective, string> differs)
    {
        var certificates = new List<DraftObject>();
        NginxServer[] servers = [listener.Default!, .. listener.Servers.Where(server => server != listener.Default)];
        foreach (NginxServer server in servers)
        {
            IReadOnlyList<NginxDirective> files = server.Scope.All("ssl_certificate"), keys = server.Scope.All("ssl_certificate_key");
            for (int i = 0; i < files.Count; i++)
            {
                if (files[i].Arg(0).Contains('$'))
                {
                    differs(files[i], "lb's certificates are files with fixed names: left out");
                    continue;
                }
                DraftObject certificate = new DraftObject().Add("file", files[i].Arg(0)).Add("key", i < keys.Count ? keys[i].Arg(0) : null);
                if (server.Scope.Find("ssl_stapling_file") is { } ocsp) certificate.Add("ocsp", ocsp.Arg(0));
                if (!certificates.Exists(other => other.ToString() == certificate.ToString())) certificates.Add(certificate);
            }
        }
        if (certificates.Count == 0)
        {
            differs(listener.Directive, "in what was read there is no \"ssl_certificate\" for it: the listener is left out");
            return null;
        }
        NginxScope scope = listener.Default!.Scope;
        var tls = new DraftObject().Add("certificates", certificates);
        if (scope.Find("ssl_protocols") is { } protocols)
        {
            if (protocols.Args is ["TLSv1.3"]) tls.Add("policy", "modern");
            else if (protocols.Args.Any(protocol => protocol is not ("TLSv1.2" or "TLSv1.3"))) differs(protocols, "lb speaks TLS 1.2 and 1.3");
        }
        return TryClients(listener, tls, differs) ? tls : null;
    }

    /// <summary>Whether clients of one server are verified as those of another.</summary>
    internal static bool VerifiesAs(NginxServer one, NginxServer other) => one == other || Clients(one) == Clients(other);

    private static bool TryClients(NginxListener listener, DraftObject tls, Action<NginxDirective, string> differs)
    {
        NginxServer server = listener.Default!;
        if (server.Scope.Find("ssl_verify_client") is not { } verify || verify.Arg(0) == "off") return true;
        bool isRequired = verify.Arg(0) == "on";
        if (isRequired && server.Scope.Find("ssl_crl") is { } revoked)
        {
            differs(revoked, "lb would let in clients whose certificates are revoked: the listener is left out");
            return false;
        }
        if ((isRequired || verify.Arg(0) == "optional") && server.Scope.Find("ssl_client_certificate") is { } authorities)
        {
            tls.Add("clientCertificates", new DraftObject().Add("ca", authorities.Arg(0)).Add("mode", isRequired ? "required" : "optional"));
            if (!listener.Servers.TrueForAll(other => VerifiesAs(server, other))) differs(verify, "holds for all servers of the listener");
            return true;
        }
        differs(verify, isRequired ? "in what was read there is no \"ssl_client_certificate\" for it: the listener is left out" : "left out: clients are not verified");
        return !isRequired;
    }

    private static (string Mode, string Authorities) Clients(NginxServer server) =>
        server.Scope.Find("ssl_verify_client")?.Arg(0) is { } mode and not "off" ? (mode, server.Scope.Find("ssl_client_certificate")?.Arg(0) ?? "") : ("off", "");
}
