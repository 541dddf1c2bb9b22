using System.Net;

namespace LoadBalancer.Core.Configuration;

/// <summary>Checks <see cref="ClusterConfig.Discover"/>, without asking DNS or opening files.</summary>
internal static class DiscoverValidator
{
    internal static void Validate(string path, ClusterConfig cluster, ProblemList problems)
    {
        for (int i = 0; i < cluster.Discover.Count; i++) Validate(ConfigPath.Item($"{path}.discover", i), cluster.Discover[i], problems);
        if (cluster.Queue.RequestsMax > 0)
            for (int i = 0; i < cluster.Discover.Count; i++)
                if (cluster.Discover[i] is { File: null, Etcd: null, RequestsMax: 0 }) // what stands in files and in etcd may have limits of its own
                    problems.Add($"{ConfigPath.Item($"{path}.discover", i)}.requestsMax", "is 0: the cluster's queue has no effect while a destination has no limit");
    }

    private static void Validate(string path, DiscoverConfig discover, ProblemList problems)
    {
        int given = (discover.Dns is null ? 0 : 1) + (discover.Srv is null ? 0 : 1) + (discover.File is null ? 0 : 1) + (discover.Etcd is null ? 0 : 1) + (discover.Kubernetes is null ? 0 : 1);
        if (given != 1) problems.Add(path, $"has {(given == 0 ? "none" : "several")} of \"dns\", \"srv\", \"file\", \"etcd\" and \"kubernetes\"; expected one of them");
        if (discover.Dns is { } dns && !TrySplitName(dns, out _, out _, out string error)) problems.Add($"{path}.dns", $"{CharacterText.Quote(dns)} {error}");
        if (discover.Srv is { } srv && !HostName.IsValid(WithoutDot(srv)))
            problems.Add($"{path}.srv", $"{CharacterText.Quote(srv)} is no valid name; expected one such as \"_http._tcp.api.internal\", without a port");
        if (discover.File is { Length: 0 }) problems.Add($"{path}.file", "is empty");
        if (discover.Resolver is { } resolver && !TryParseServer(resolver, out _))
            problems.Add($"{path}.resolver", $"{CharacterText.Quote(resolver)} is no address of a name server; expected one such as \"10.0.0.2:53\" or \"[fd00::2]:53\"");
        if (discover.File is not null && (discover.Resolver is not null || discover.Tier != 0 || discover.RequestsMax != 0))
            problems.Add($"{path}.file", "takes no \"resolver\", \"tier\" or \"requestsMax\"; they are for \"dns\" and \"srv\"");
        if (discover is { Dns: null, Srv: null, File: null, Resolver: not null }) problems.Add($"{path}.resolver", "has no effect; it is for \"dns\" and \"srv\"");
        if (discover.Etcd is { } etcd) RemoteSourceValidator.Validate($"{path}.etcd", etcd, problems);
        if (discover.Kubernetes is { } kubernetes) RemoteSourceValidator.Validate($"{path}.kubernetes", kubernetes, problems);
        problems.Range(path, "intervalMin", discover.IntervalMin, ConfigRanges.DiscoverInterval);
        problems.Range(path, "intervalMax", discover.IntervalMax, ConfigRanges.DiscoverInterval);
        if (discover.IntervalMax < discover.IntervalMin)
            problems.Add($"{path}.intervalMax", $"{DurationText.Format(discover.IntervalMax)} is less than \"intervalMin\", {DurationText.Format(discover.IntervalMin)}");
        problems.Range(path, "tier", discover.Tier, ConfigRanges.Tier);
        problems.Range(path, "requestsMax", discover.RequestsMax, ConfigRanges.RequestsMax);
    }

    /// <summary>Splits "name:port"; a dot at the end of the name, which keeps search domains away, stays.</summary>
    internal static bool TrySplitName(string text, out string name, out int port, out string error)
    {
        (name, port, error) = ("", 0, "");
        int colon = text.LastIndexOf(':');
        bool isAbsolute = colon > 0 && text[colon - 1] == '.';
        if (!AddressParser.TryParseDestination(isAbsolute ? text.Remove(colon - 1, 1) : text, out EndPoint? endPoint, out string? reason)) error = reason!;
        else if (endPoint is not DnsEndPoint dns) error = "is an address, not a name; list it under \"destinations\"";
        else
        {
            name = isAbsolute ? dns.Host + "." : dns.Host;
            port = dns.Port;
            return true;
        }
        return false;
    }

    internal static bool TryParseServer(string text, out IPEndPoint server)
    {
        bool ok = AddressParser.TryParseDestination(text, out EndPoint? endPoint, out _) && endPoint is IPEndPoint;
        server = ok ? (IPEndPoint)endPoint! : new IPEndPoint(IPAddress.None, 0);
        return ok;
    }

    private static string WithoutDot(string name) => name.EndsWith('.') ? name[..^1] : name;
}
