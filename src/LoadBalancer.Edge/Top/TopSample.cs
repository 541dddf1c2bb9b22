using LoadBalancer.Admin.Dashboard;

namespace LoadBalancer.Edge.Top;

/// <summary>What happened between two answers of a running balancer.</summary>
internal sealed class TopSample(DashboardEntry before, DashboardEntry now)
{
    private const int ServerErrors = 5; // of the classes of statuses

    private readonly Dictionary<(string, string), DashboardDestination> _before = Index(before);

    internal DashboardEntry Now => now;

    /// <summary>Between the two; never zero.</summary>
    internal double Seconds { get; } = Math.Max(0.001, (now.Time - before.Time) / 1000.0);

    internal double RequestsPerSecond => Math.Max(0, now.Requests.ByClass.Sum() - before.Requests.ByClass.Sum()) / Seconds;

    internal double ErrorsPerSecond => Math.Max(0, now.Requests.ByClass[ServerErrors] - before.Requests.ByClass[ServerErrors]) / Seconds;

    /// <summary>Within which this share of the requests were answered, in seconds; null where there were none.</summary>
    internal double? Percentile(double share) => Percentile(now.Requests.Durations, before.Requests.Durations, now.Requests.Bounds, share);

    internal (double Requests, double Failures, double? FirstByte) Of(string cluster, DashboardDestination destination)
    {
        DashboardDestination? past = _before.GetValueOrDefault((cluster, destination.Name));
        return (Math.Max(0, destination.Attempts - (past?.Attempts ?? 0)) / Seconds, Math.Max(0, destination.Failures - (past?.Failures ?? 0)) / Seconds,
            Percentile(destination.FirstBytes, past?.FirstBytes ?? [], now.Requests.Bounds, 0.5));
    }

    internal double EndsPerSecond(string reason) => Math.Max(0, now.Ends.GetValueOrDefault(reason) - before.Ends.GetValueOrDefault(reason)) / Seconds;

    // Linear within a bucket; above the last bound nothing more is known.
    private static double? Percentile(IReadOnlyList<long> counts, IReadOnlyList<long> past, IReadOnlyList<double> bounds, double share)
    {
        long Count(int i) => Math.Max(0, counts[i] - (i < past.Count ? past[i] : 0));
        long total = 0;
        for (int i = 0; i < counts.Count; i++) total += Count(i);
        if (total == 0) return null;
        double rank = share * total;
        int bucket = 0;
        while (bucket < counts.Count - 1 && rank > Count(bucket)) rank -= Count(bucket++);
        if (bucket >= bounds.Count) return bounds[^1];
        double low = bucket == 0 ? 0 : bounds[bucket - 1];
        return low + (bounds[bucket] - low) * Math.Min(1, rank / Math.Max(1, Count(bucket)));
    }

    private static Dictionary<(string, string), DashboardDestination> Index(DashboardEntry entry)
    {
        Dictionary<(string, string), DashboardDestination> index = [];
        foreach (DashboardCluster cluster in entry.Clusters)
            foreach (DashboardDestination destination in cluster.Destinations) index.TryAdd((cluster.Name, destination.Name), destination);
        return index;
    }
}
