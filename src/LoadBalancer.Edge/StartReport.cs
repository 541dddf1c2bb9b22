using System.Net;
using System.Net.Sockets;
using LoadBalancer.Admin;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Edge.Commands;
using LoadBalancer.Edge.Development;

namespace LoadBalancer.Edge;

/// <summary>What is printed when the balancer has started: what it bound, and which settings were left at their defaults.</summary>
internal static class StartReport
{
    internal static void Write(
        TextWriter writer, string source, ProxyConfig config, IReadOnlyDictionary<string, EndPoint> endPoints, AdminServer? admin, string transport, int loops,
        DevelopmentCertificate? certificate = null)
    {
        writer.WriteLine($"lb {ProductVersion.Text}, {source}: {CheckCommand.Summary(config)}");
        foreach ((string name, EndPoint endPoint) in endPoints)
        {
            // One that the configuration does not have itself only redirects.
            bool isConfigured = config.Listeners.TryGetValue(name, out ListenerConfig? listener);
            writer.WriteLine($"  listening  {name}: {Describe(endPoint, Scheme(listener))}{(isConfigured ? "" : ", redirects to https")}");
        }
        if (certificate is not null) DevelopmentReport.Write(writer, certificate, endPoints.Values.First());
        if (admin?.EndPoint is { } adminEndPoint) writer.WriteLine($"  admin      {Describe(adminEndPoint)}");
        else if (admin?.Missing is { } missing) writer.WriteLine($"  admin      none: {missing}");
        writer.WriteLine($"  transport  {transport}, {loops} event loop{(loops == 1 ? "" : "s")}");
        string defaults = string.Join(", ", Defaults(config));
        if (defaults.Length > 0) writer.WriteLine($"  defaults   {defaults} (all: lb schema)");
        writer.WriteLine($"Ready. Ctrl+C lets requests in flight finish, for at most {DurationText.Format(config.DrainTimeout)}; a second one cuts them.");
        writer.Flush();
    }

    private static string Scheme(ListenerConfig? listener) => (listener?.Tcp is null, listener?.Tls is null) switch
    {
        (true, true) => "http",
        (true, false) => "https",
        (false, true) => "tcp",
        (false, false) => "tls",
    };

    internal static string Describe(EndPoint endPoint, string scheme = "http") => endPoint switch
    {
        IPEndPoint { Address: var address, Port: var port } when address.Equals(IPAddress.Any) => $"{scheme}://localhost:{port} (every IPv4 address)",
        IPEndPoint { Address: var address, Port: var port } when address.Equals(IPAddress.IPv6Any) => $"{scheme}://localhost:{port} (every address)",
        IPEndPoint ip => $"{scheme}://{ip}",
        UnixDomainSocketEndPoint unix => $"unix:{unix}",
        _ => endPoint.ToString() ?? "",
    };

    // The settings an operator is asked for first; a default is one that no listener or cluster has changed.
    private static IEnumerable<string> Defaults(ProxyConfig config)
    {
        var cluster = new ClusterConfig();
        var limits = new ListenerLimitsConfig();
        var proxy = new ProxyConfig();
        if (config.Clusters.Count > 0)
        {
            if (config.Clusters.Values.All(c => c.Balance == cluster.Balance)) yield return $"balance {cluster.Balance}";
            if (config.Clusters.Values.All(c => c.ConnectTimeout == cluster.ConnectTimeout)) yield return $"connectTimeout {DurationText.Format(cluster.ConnectTimeout)}";
            if (config.Clusters.Values.All(c => c.ResponseHeadTimeout == cluster.ResponseHeadTimeout)) yield return $"responseHeadTimeout {DurationText.Format(cluster.ResponseHeadTimeout)}";
            if (config.Clusters.Values.All(c => c.RetriesMax == cluster.RetriesMax)) yield return $"retriesMax {cluster.RetriesMax}";
        }
        ListenerConfig[] ofHttp = [.. config.Listeners.Values.Where(l => l.Tcp is null)];
        if (ofHttp.Length > 0 && ofHttp.All(l => l.Limits.RequestHeadTimeout == limits.RequestHeadTimeout)) yield return $"requestHeadTimeout {DurationText.Format(limits.RequestHeadTimeout)}";
        if (ofHttp.Length > 0 && ofHttp.All(l => l.Limits.KeepAliveTimeout == limits.KeepAliveTimeout)) yield return $"keepAliveTimeout {DurationText.Format(limits.KeepAliveTimeout)}";
        if (config.DrainTimeout == proxy.DrainTimeout) yield return $"drainTimeout {DurationText.Format(proxy.DrainTimeout)}";
    }
}
