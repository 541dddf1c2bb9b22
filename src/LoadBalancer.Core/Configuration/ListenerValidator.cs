using System.Globalization;
using System.Net;
using LoadBalancer.Core.Routing;
using LoadBalancer.Core.Tls;

namespace LoadBalancer.Core.Configuration;

/// <summary>Checks <see cref="ListenerConfig"/>.</summary>
internal static class ListenerValidator
{
    internal static void Validate(ProxyConfig config, CertificateStore certificates, ProblemList problems)
    {
        if (config.Listeners.Count == 0) problems.Add("listeners", "there is no listener; expected at least one, as in \"web\": { \"address\": \":8080\" }");
        var bound = new Dictionary<EndPoint, string>();
        foreach ((string name, ListenerConfig listener) in config.Listeners)
        {
            string path = ConfigPath.Member("listeners", name);
            problems.Name(path, name, "listener");
            Address($"{path}.address", listener.Address, name, listener.DualStack, bound, problems);
            problems.Range(path, "backlog", listener.Backlog, ConfigRanges.Backlog);
            problems.Range(path, "connectionsMax", listener.ConnectionsMax, ConfigRanges.ListenerConnectionsMax);
            problems.Range(path, "tcpKeepAlive", listener.TcpKeepAlive, ConfigRanges.TcpKeepAlive);
            AddressRanges($"{path}.trustedProxies", listener.TrustedProxies, problems);
            if (listener.Forwarded.Via.Length > 0 && !HttpSyntax.IsToken(listener.Forwarded.Via))
            {
                // RFC 9110 §7.6.3: a pseudonym is a token.
                problems.Add($"{path}.forwarded.via", $"{CharacterText.Quote(listener.Forwarded.Via)} is no pseudonym; expected letters, digits and \"-\", or empty for no Via");
            }
            Limits($"{path}.limits", listener.Limits, problems);
            if (listener.ProxyProtocol is { } proxyProtocol) ProxyProtocol($"{path}.proxyProtocol", listener.Address, proxyProtocol, problems);
            if (listener.Tls is not { } tls) continue;
            Tls($"{path}.tls", name, tls, certificates, problems);
            if (tls.HttpsOnly is not { } httpsOnly) continue;
            HttpsOnly($"{path}.tls.httpsOnly", httpsOnly, problems);
            for (int i = 0; i < httpsOnly.RedirectFrom.Count; i++)
            {
                string item = ConfigPath.Item($"{path}.tls.httpsOnly.redirectFrom", i), redirect = RedirectListener.Name(name, i);
                if (config.Listeners.ContainsKey(redirect)) problems.Add(item, $"makes a listener of the name \"{redirect}\", which another has; rename that one");
                Address(item, httpsOnly.RedirectFrom[i], redirect, listener.DualStack, bound, problems);
            }
        }
    }

    private static void Address(string path, string address, string name, bool isDualStack, Dictionary<EndPoint, string> bound, ProblemList problems)
    {
        if (!AddressParser.TryParseListener(address, out EndPoint? endPoint, out string? error))
        {
            problems.Add(path, $"{CharacterText.Quote(address)} {error}");
            return;
        }
        if (endPoint is IPEndPoint { Port: 0 }) return; // a free port each
        if (bound.TryAdd(endPoint!, name))
        {
            // The IPv4 wildcard and a dual-stack IPv6 wildcard want the same port.
            if (endPoint is IPEndPoint ip && Other(ip) is { } other && bound.TryGetValue(other, out string? first)) Taken(first);
            return;
        }
        Taken(bound[endPoint!]);

        void Taken(string first) => problems.Add(path, $"{CharacterText.Quote(address)} is the address of listener \"{first}\" already");
        IPEndPoint? Other(IPEndPoint ip) =>
            ip.Address.Equals(IPAddress.Any) ? new IPEndPoint(IPAddress.IPv6Any, ip.Port)
            : ip.Address.Equals(IPAddress.IPv6Any) && isDualStack ? new IPEndPoint(IPAddress.Any, ip.Port)
            : null;
    }

    private static void ProxyProtocol(string path, string address, ProxyProtocolConfig config, ProblemList problems)
    {
        bool isUnix = address.StartsWith("unix:", StringComparison.Ordinal);
        if (!isUnix && config.TrustedPeers.Count == 0)
            problems.Add($"{path}.trustedPeers", "nobody's header would be believed; expected the addresses of the proxies before this one, as in \"10.0.0.0/8\"");
        if (isUnix && config.TrustedPeers.Count > 0)
            problems.Add($"{path}.trustedPeers", "has no effect on a Unix socket, whose peers have no address; the permissions of its file decide who may connect");
        AddressRanges($"{path}.trustedPeers", config.TrustedPeers, problems);
        problems.Range(path, "timeout", config.Timeout, ConfigRanges.ProxyHeaderTimeout);
    }

    private static void AddressRanges(string path, IReadOnlyList<string> ranges, ProblemList problems)
    {
        for (int i = 0; i < ranges.Count; i++)
        {
            string range = ranges[i];
            string item = ConfigPath.Item(path, i);
            if (!CidrSet.TryParse(range, out _))
            {
                problems.Add(item, $"{CharacterText.Quote(range)} is no address range; expected CIDR such as \"10.0.0.0/8\", or one address");
                continue;
            }
            // Read as its network it would trust more peers than the one address that is written.
            int slash = range.IndexOf('/', StringComparison.Ordinal);
            if (slash < 0 || !IPAddress.TryParse(range.AsSpan(0, slash), out IPAddress? address)) continue;
            IPAddress network = Network(address, int.Parse(range.AsSpan(slash + 1), CultureInfo.InvariantCulture));
            if (!network.Equals(address))
                problems.Add(item, $"{CharacterText.Quote(range)} has bits set after its prefix; did you mean \"{network}{range[slash..]}\" or \"{address}\"?");
        }
    }

    private static IPAddress Network(IPAddress address, int bits)
    {
        byte[] bytes = address.GetAddressBytes();
        for (int i = 0; i < bytes.Length; i++)
        {
            int kept = Math.Clamp(bits - (i * 8), 0, 8);
            bytes[i] &= (byte)(0xff << (8 - kept));
        }
        return new IPAddress(bytes);
    }

    private static void Tls(string path, string listener, TlsConfig tls, CertificateStore certificates, ProblemList problems)
    {
        if (tls.Certificates.Count == 0 && tls.Acme.Count == 0)
            problems.Add($"{path}.certificates", "there is no certificate; expected at least one, as in \"site.pem\", or names in \"acme\"");
        for (int i = 0; i < tls.Certificates.Count; i++)
        {
            CertificateConfig certificate = tls.Certificates[i];
            if (certificate.File.Length > 0 && certificates.Certificate(listener, certificate).ProblemAt(ConfigPath.Item($"{path}.certificates", i)) is { } problem)
                problems.Add(problem.Path, problem.Message);
        }
        if (tls.ClientCertificates is { } clients && certificates.Authorities(listener, clients.Ca).Problem is { } caProblem)
            problems.Add($"{path}.clientCertificates.ca", $"{CharacterText.Quote(clients.Ca)} {caProblem}");
        problems.Range(path, "handshakeTimeout", tls.HandshakeTimeout, ConfigRanges.HandshakeTimeout);
        problems.Range(path, "handshakesMax", tls.HandshakesMax, ConfigRanges.HandshakesMax);
    }

    private static void HttpsOnly(string path, HttpsOnlyConfig httpsOnly, ProblemList problems)
    {
        problems.Range(path, "redirectPort", httpsOnly.RedirectPort, ConfigRanges.RedirectPort);
        problems.Range(path, "maxAge", httpsOnly.MaxAge, ConfigRanges.StrictTransportMaxAge);
        if (!httpsOnly.Preload) return;
        if (!httpsOnly.IncludeSubDomains) problems.Add($"{path}.preload", "needs \"includeSubDomains\": the lists of browsers take whole domains only");
        if (httpsOnly.MaxAge < ConfigRanges.PreloadMaxAgeMin)
            problems.Add($"{path}.preload", $"needs a \"maxAge\" of {DurationText.Format(ConfigRanges.PreloadMaxAgeMin)} or more; it is {DurationText.Format(httpsOnly.MaxAge)}");
    }

    private static void Limits(string path, ListenerLimitsConfig limits, ProblemList problems)
    {
        problems.Range(path, "requestHeadTimeout", limits.RequestHeadTimeout, ConfigRanges.RequestHeadTimeout);
        problems.Range(path, "requestBodyIdleTimeout", limits.RequestBodyIdleTimeout, ConfigRanges.RequestBodyIdleTimeout);
        problems.Range(path, "requestBodyRateMin", limits.RequestBodyRateMin, ConfigRanges.RequestBodyRateMin);
        problems.Range(path, "requestBodyRateGrace", limits.RequestBodyRateGrace, ConfigRanges.RequestBodyRateGrace);
        problems.Range(path, "responseRateMin", limits.ResponseRateMin, ConfigRanges.ResponseRateMin);
        problems.Range(path, "responseRateGrace", limits.ResponseRateGrace, ConfigRanges.ResponseRateGrace);
        problems.Range(path, "keepAliveTimeout", limits.KeepAliveTimeout, ConfigRanges.KeepAliveTimeout);
        problems.Range(path, "requestsPerConnectionMax", limits.RequestsPerConnectionMax, ConfigRanges.RequestsPerConnectionMax);
        problems.Range(path, "connectionAgeMax", limits.ConnectionAgeMax, ConfigRanges.ConnectionAgeMax);
        problems.Range(path, "writeIdleTimeout", limits.WriteIdleTimeout, ConfigRanges.WriteIdleTimeout);
        problems.Range(path, "requestLineBytesMax", limits.RequestLineBytesMax, ConfigRanges.RequestLineBytesMax);
        problems.Range(path, "requestHeadBytesMax", limits.RequestHeadBytesMax, ConfigRanges.RequestHeadBytesMax);
        problems.Range(path, "requestHeaderCountMax", limits.RequestHeaderCountMax, ConfigRanges.RequestHeaderCountMax);
        if (limits.RequestBodyBytesMax is { } max) problems.Range(path, "requestBodyBytesMax", max, ConfigRanges.RequestBodyBytesMax);
    }
}
