using LoadBalancer.Admin.Endpoints;
using LoadBalancer.Admin.Routing;
using LoadBalancer.Balancing;
using LoadBalancer.Core;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Events;

namespace LoadBalancer.Admin.Dashboard;

/// <summary>
/// <c>/dashboard.json</c>: all that the page and <c>lb top</c> show, in one answer that costs the loops nothing. Counts are since the start: whoever shows rates asks again and subtracts.
/// </summary>
internal sealed class DashboardData(ProxyServer proxy, TimeProvider time)
{
    private const int DestinationsMax = 200; // of a cluster
    private const int EventsMax = 100;

    private static readonly string[] Reasons = Enum.GetNames<EndReason>();

    internal Task Get(AdminExchange exchange, CancellationToken aborted)
    {
        if (!long.TryParse(exchange.Query("since") ?? "0", System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out long since))
            return exchange.Refuse(400, "\"since\" is no number of an event; expected 0 or more");
        return exchange.Json(200, Collect(since), AdminJson.Default.DashboardEntry);
    }

    internal DashboardEntry Collect(long since)
    {
        TrafficView traffic = proxy.DescribeTraffic();
        ServerView server = proxy.DescribeServer();
        long[] byClass = new long[RequestTraffic.Classes.Count], durations = new long[DurationView.Bounds.Count + 1];
        long retries = 0, received = 0, sent = 0;
        foreach (RequestTraffic request in traffic.Requests)
        {
            for (int i = 0; i < byClass.Length; i++) byClass[i] += request.ByClass[i];
            for (int i = 0; i < durations.Length; i++) durations[i] += request.Durations.Counts[i];
            retries += request.Retries;
            received += request.BytesReceived;
            sent += request.BytesSent;
        }
        var ends = new SortedDictionary<string, long>(StringComparer.Ordinal);
        for (int i = 0; i < traffic.Ends.Count; i++)
            if (traffic.Ends[i] > 0) ends.Add(Reasons[i], traffic.Ends[i]);
        DateTimeOffset now = time.GetUtcNow();
        IReadOnlyList<ServerEvent> events = proxy.Events.Since(since > proxy.Events.LastSequence ? 0 : since);
        return new(now.ToUnixTimeMilliseconds(), ServerEndpoints.NameOf(server.State), ProxyServer.Version, Math.Floor(server.Uptime.TotalSeconds),
            new(byClass, durations, DurationView.Bounds, retries, received, sent), ends,
            new(traffic.Listeners.Sum(one => one.Open), traffic.Listeners.Sum(one => one.Accepted), traffic.Listeners.Sum(one => one.Refused)),
            Clusters(traffic), proxy.DescribeRefusals(),
            [.. CertificateList.Of(proxy.DescribeCertificates(), now).Certificates.Where(one => one.State != "valid" || one.Problem is not null).Select(one => new CertificateAlarm(one.Names, one.State, one.DaysLeft, one.Problem))],
            proxy.Events.LastSequence, [.. events.Skip(events.Count - EventsMax).Select(EventEntry.Of)]);
    }

    private List<DashboardCluster> Clusters(TrafficView traffic)
    {
        Dictionary<(string, string), DestinationTraffic> counts = [];
        foreach (DestinationTraffic one in traffic.Destinations) counts.TryAdd((one.Cluster, one.Destination), one);
        var clusters = new List<DashboardCluster>();
        foreach ((string name, ClusterConfig config) in proxy.Config.Clusters)
        {
            IReadOnlyList<DestinationView> destinations;
            try
            {
                destinations = proxy.DescribeDestinations(name);
            }
            catch (ArgumentException)
            {
                continue; // it has just gone, with another configuration
            }
            clusters.Add(new(name, config.Balance, destinations.Count, destinations.Count(one => one.Status == DestinationStatus.Eligible),
                [.. destinations.Take(DestinationsMax).Select(view => Destination(view, counts.GetValueOrDefault((name, view.Name))))]));
        }
        return clusters;
    }

    private static DashboardDestination Destination(DestinationView view, DestinationTraffic? traffic)
    {
        long attempts = traffic?.ByOutcome.Sum() ?? 0;
        long failures = traffic is null ? 0 : attempts - traffic.ByOutcome[(int)PickOutcomeKind.Success] - traffic.ByOutcome[(int)PickOutcomeKind.Cancelled];
        return new(view.Name, view.Config.Address, view.Status == DestinationStatus.Eligible, DestinationEntry.ReasonsOf(view.Status), view.History.Count > 0 ? view.History[^1].Text : null,
            view.Config.Weight, view.Outstanding, view.Connections, attempts, failures, DestinationEntry.MillisecondsOf(view.Score), traffic?.FirstBytes.Counts ?? [], view.Score.Score);
    }
}

/// <summary>What the dashboard shows. Counts are since the start.</summary>
internal sealed record DashboardEntry(long Time, string State, string Version, double UptimeSeconds, DashboardRequests Requests, IReadOnlyDictionary<string, long> Ends, DashboardConnections Connections,
    IReadOnlyList<DashboardCluster> Clusters, IReadOnlyList<RefusalView> Refusals, IReadOnlyList<CertificateAlarm> Certificates, long LastEvent, IReadOnlyList<EventEntry> Events);

internal sealed record DashboardRequests(IReadOnlyList<long> ByClass, IReadOnlyList<long> Durations, IReadOnlyList<double> Bounds, long Retries, long BytesReceived, long BytesSent);

internal sealed record DashboardConnections(long Open, long Accepted, long Refused);

internal sealed record DashboardCluster(string Name, string Balance, int Total, int Usable, IReadOnlyList<DashboardDestination> Destinations);

internal sealed record DashboardDestination(string Name, string Address, bool Usable, IReadOnlyList<string> Reasons, string? LastChange, int Weight, int Outstanding, int Connections, long Attempts, long Failures,
    double? LatencyMilliseconds, IReadOnlyList<long> FirstBytes, double? Score);

internal sealed record CertificateAlarm(IReadOnlyList<string> Names, string State, double DaysLeft, string? Problem);
