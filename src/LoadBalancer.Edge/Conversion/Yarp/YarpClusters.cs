using System.Globalization;

namespace LoadBalancer.Edge.Conversion.Yarp;

/// <summary>Clusters with their destinations, checks and affinity.</summary>
internal static class YarpClusters
{
    internal static void Convert(string name, YarpSection cluster, DraftObject clusters, YarpHosts hosts)
    {
        var draft = new DraftObject();
        draft.Add("balance", cluster.Text("LoadBalancingPolicy") switch
        {
            null or "PowerOfTwoChoices" => "power-of-two", // YARP's default
            "RoundRobin" => "round-robin",
            "LeastRequests" => "least-outstanding",
            "Random" => "random",
            "FirstAlphabetical" => "first",
            var other => Unknown(cluster, "LoadBalancingPolicy", other, "power-of-two"),
        });
        if (!hosts.HasFlag(YarpHosts.Client)) draft.Add("host", "destination");
        else if (hosts.HasFlag(YarpHosts.Destination)) cluster.Differs("some of its routes have the transform RequestHeaderOriginalHost; in lb the client's Host is sent for all of them");
        bool isHttps = false;
        DraftObject destinations = draft.Child("destinations");
        List<(string Key, YarpSection Section)> all = [.. cluster.Section("Destinations").Sections()];
        if (cluster.Text("LoadBalancingPolicy") == "FirstAlphabetical") all.Sort((a, b) => StringComparer.OrdinalIgnoreCase.Compare(a.Key, b.Key));
        foreach ((string key, YarpSection destination) in all)
        {
            if (destination.Text("Address") is not { } url || Address(url, out bool isSecure, out string path) is not { } address)
            {
                destination.Differs("Address", "is no address that lb can connect to");
                continue;
            }
            if (path.Length > 0) destination.Differs("Address", $"the path {path} is left out: lb's destinations have none");
            isHttps |= isSecure;
            destinations.Add(key, address);
        }
        Http(cluster, draft, isHttps);
        Health(cluster.Section("HealthCheck"), draft);
        if (cluster.Section("SessionAffinity") is var affinity && affinity.Flag("Enabled") == true) Affinity(affinity, draft);
        else affinity.UseAll();
        clusters.Add(name, draft, cluster.Place);
    }

    private static void Http(YarpSection cluster, DraftObject draft, bool isHttps)
    {
        YarpSection request = cluster.Section("HttpRequest"), client = cluster.Section("HttpClient");
        object time = request.Duration("ActivityTimeout") ?? "100s"; // YARP's default, longer than lb's
        draft.Add("responseHeadTimeout", time).Add("idleTimeout", time);
        if (request.Text("Version") is { } version && version is not ("1.1" or "1")) request.Differs("Version", "lb speaks HTTP/1.1 with destinations");
        request.Text("VersionPolicy");
        request.Text("AllowResponseBuffering"); // lb never holds answers back
        if (client.Text("MaxConnectionsPerServer") is { } max && int.TryParse(max, NumberStyles.None, CultureInfo.InvariantCulture, out int connections))
            draft.Add("pool", new DraftObject().Add("connectionsMax", connections));
        if (client.Flag("DangerousAcceptAnyServerCertificate") == true && isHttps) draft.Add("tls", new DraftObject().Add("verify", false));
        if (client.Texts("SslProtocols").Length > 0) client.Differs("SslProtocols", "left out: lb speaks TLS 1.2 and 1.3");
        client.Text("EnableMultipleHttp2Connections");
    }

    private static void Health(YarpSection health, DraftObject draft)
    {
        YarpSection active = health.Section("Active"), passive = health.Section("Passive");
        if (active.Flag("Enabled") == true)
        {
            var check = new DraftObject().Add("path", (active.Text("Path") is { Length: > 0 } path ? path.StartsWith('/') ? path : "/" + path : "/") + active.Text("Query"));
            check.Add("status", (List<string>)["200-299"]);
            check.Add("interval", active.Duration("Interval") ?? "15s").Add("timeout", active.Duration("Timeout") ?? "10s"); // YARP's defaults
            if (active.Text("Policy") is { } policy and not "ConsecutiveFailures") active.Differs("Policy", $"{policy} is left out: lb counts failures in a row (\"fall\", \"rise\")");
            draft.Add("healthCheck", check);
        }
        else active.UseAll();
        if (passive.Flag("Enabled") == true)
        {
            if (passive.Text("Policy") is { } policy and not "TransportFailureRate") passive.Differs("Policy", $"{policy} is left out: lb ejects by failures in a row and by their rate");
            draft.Add("ejection", new DraftObject().Add("duration", passive.Duration("ReactivationPeriod")));
        }
        else
        {
            passive.UseAll();
            draft.Add("ejection", new DraftObject().Add("enabled", false)); // YARP's default
        }
        if (health.Text("AvailableDestinationsPolicy") is { } available and not "HealthyOrPanic")
            health.Differs("AvailableDestinationsPolicy", $"{available} is left out: where fewer than half of the destinations can be used, lb uses all (\"panicThresholdPercent\")");
    }

    private static void Affinity(YarpSection affinity, DraftObject draft)
    {
        string policy = affinity.Text("Policy") ?? "HashCookie";
        string name = affinity.Text("AffinityKeyName") ?? "lb";
        if (affinity.Text("FailurePolicy") is { } failure && !failure.Equals("Redistribute", StringComparison.OrdinalIgnoreCase)) affinity.Differs("FailurePolicy", $"{failure} is left out: lb takes another destination");
        YarpSection cookie = affinity.Section("Cookie");
        if (policy is not ("HashCookie" or "ArrCookie" or "Cookie"))
        {
            cookie.UseAll();
            affinity.Differs("Policy", $"{policy} is left out: lb's sessions stick by a cookie, or by a hash (\"hashOn\")");
            return;
        }
        var sticky = new DraftObject().Add("cookie", name);
        sticky.Add("path", cookie.Text("Path"));
        if (YarpConverter.Duration(cookie.Text("MaxAge") ?? cookie.Text("Expiration")) is { } age) sticky.Add("maxAge", age);
        if (cookie.Text("SecurePolicy")?.Equals("Always", StringComparison.OrdinalIgnoreCase) == true) sticky.Add("secure", true);
        if (cookie.Text("SameSite") is { } site && !site.Equals("Unspecified", StringComparison.OrdinalIgnoreCase)) sticky.Add("sameSite", site.ToLowerInvariant());
        cookie.Flag("HttpOnly");
        cookie.Flag("IsEssential");
        draft.Add("sticky", sticky);
        affinity.Differs("cookies that YARP has set are not known to lb: each client is bound anew, once");
    }

    private static string? Address(string url, out bool isSecure, out string path)
    {
        isSecure = url.StartsWith("https://", StringComparison.OrdinalIgnoreCase);
        path = "";
        if (!Uri.TryCreate(url, UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("http" or "https")) return null;
        path = uri.AbsolutePath.TrimEnd('/');
        string authority = string.Create(CultureInfo.InvariantCulture, $"{uri.Host}:{uri.Port}");
        return isSecure ? $"https://{authority}" : authority;
    }

    private static string Unknown(YarpSection cluster, string key, string value, string taken)
    {
        cluster.Differs(key, $"lb has no \"{value}\"; {taken} is taken");
        return taken;
    }
}
