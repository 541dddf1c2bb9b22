using System.Net;
using LoadBalancer.Core.Routing;

namespace LoadBalancer.Core.Configuration;

/// <summary>Checks <see cref="ListenerConfig"/>.</summary>
internal static class ListenerValidator
{
    internal static void Validate(ProxyConfig config, ProblemList problems)
    {
        if (config.Listeners.Count == 0) problems.Add("listeners", "there is no listener; expected at least one, as in \"web\": { \"address\": \":8080\" }");
        var bound = new Dictionary<EndPoint, string>();
        foreach ((string name, ListenerConfig listener) in config.Listeners)
        {
            string path = ConfigPath.Member("listeners", name);
            problems.Name(path, name, "listener");
            Address(path, name, listener, bound, problems);
            problems.Range(path, "backlog", listener.Backlog, ConfigRanges.Backlog);
            problems.Range(path, "connectionsMax", listener.ConnectionsMax, ConfigRanges.ListenerConnectionsMax);
            problems.Range(path, "tcpKeepAlive", listener.TcpKeepAlive, ConfigRanges.TcpKeepAlive);
            TrustedProxies(path, listener, problems);
            if (listener.Forwarded.Via.Length > 0 && !HttpSyntax.IsToken(listener.Forwarded.Via))
            {
                // RFC 9110 §7.6.3: a pseudonym is a token.
                problems.Add($"{path}.forwarded.via", $"{CharacterText.Quote(listener.Forwarded.Via)} is no pseudonym; expected letters, digits and \"-\", or empty for no Via");
            }
            Limits($"{path}.limits", listener.Limits, problems);
        }
    }

    private static void Address(string path, string name, ListenerConfig listener, Dictionary<EndPoint, string> bound, ProblemList problems)
    {
        path += ".address";
        if (!AddressParser.TryParseListener(listener.Address, out EndPoint? endPoint, out string? error))
        {
            problems.Add(path, $"{CharacterText.Quote(listener.Address)} {error}");
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

        void Taken(string first) => problems.Add(path, $"{CharacterText.Quote(listener.Address)} is the address of listener \"{first}\" already");
        IPEndPoint? Other(IPEndPoint ip) =>
            ip.Address.Equals(IPAddress.Any) ? new IPEndPoint(IPAddress.IPv6Any, ip.Port)
            : ip.Address.Equals(IPAddress.IPv6Any) && listener.DualStack ? new IPEndPoint(IPAddress.Any, ip.Port)
            : null;
    }

    private static void TrustedProxies(string path, ListenerConfig listener, ProblemList problems)
    {
        for (int i = 0; i < listener.TrustedProxies.Count; i++)
        {
            string range = listener.TrustedProxies[i];
            string item = ConfigPath.Item($"{path}.trustedProxies", i);
            if (IPNetwork.TryParse(range, out _) && CidrSet.Check(range) is null) continue;
            if (IPAddress.TryParse(range, out IPAddress? single))
            {
                problems.Add(item, $"{CharacterText.Quote(range)} has no prefix length; did you mean \"{range}/{(single.GetAddressBytes().Length * 8)}\"?");
                continue;
            }
            int slash = range.LastIndexOf('/');
            string? network = slash > 0 && IPAddress.TryParse(range.AsSpan(0, slash), out IPAddress? address)
                && int.TryParse(range.AsSpan(slash + 1), out int bits) && bits >= 0 && bits <= address.GetAddressBytes().Length * 8
                    ? Network(address, bits) : null;
            problems.Add(item, $"{CharacterText.Quote(range)} is no address range; " + (network is null
                ? "expected CIDR such as \"10.0.0.0/8\" or \"fd00::/8\""
                : $"it has bits set after its prefix; did you mean \"{network}\"?"));
        }
    }

    private static string Network(IPAddress address, int bits)
    {
        byte[] bytes = address.GetAddressBytes();
        for (int i = 0; i < bytes.Length; i++)
        {
            int kept = Math.Clamp(bits - (i * 8), 0, 8);
            bytes[i] &= (byte)(0xff << (8 - kept));
        }
        return $"{new IPAddress(bytes)}/{bits}";
    }

    private static void Limits(string path, ListenerLimitsConfig limits, ProblemList problems)
    {
        problems.Range(path, "requestHeadTimeout", limits.RequestHeadTimeout, ConfigRanges.RequestHeadTimeout);
        problems.Range(path, "requestBodyIdleTimeout", limits.RequestBodyIdleTimeout, ConfigRanges.RequestBodyIdleTimeout);
        problems.Range(path, "requestBodyRateMin", limits.RequestBodyRateMin, ConfigRanges.RequestBodyRateMin);
        problems.Range(path, "requestBodyRateGrace", limits.RequestBodyRateGrace, ConfigRanges.RequestBodyRateGrace);
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
