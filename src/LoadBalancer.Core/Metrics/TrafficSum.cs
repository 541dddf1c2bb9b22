using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Upstream;

namespace LoadBalancer.Core.Metrics;

/// <summary>What the loops have counted, added up.</summary>
internal sealed class TrafficSum(ProxySnapshot snapshot, TimeProvider time)
{
    private readonly SortedDictionary<(string Listener, string Route), RequestSum> _requests = [];

    internal long[] Ends { get; } = new long[Enum.GetValues<EndReason>().Length];

    private sealed class RequestSum
    {
        internal readonly long[] ByClass = new long[RequestTraffic.Classes.Count], ByCacheOutcome = new long[RequestTraffic.CacheOutcomes.Count], Durations = new long[DurationView.Bounds.Count + 1];
        internal long Ticks, Received, Sent, Retries, DeniedRetries, Hedges;
    }

    internal void Add(string listener, string route, RequestCounts counts)
    {
        if (!_requests.TryGetValue((listener, route), out RequestSum? sum)) _requests.Add((listener, route), sum = new RequestSum());
        for (int i = 0; i < sum.ByClass.Length; i++) sum.ByClass[i] += Volatile.Read(ref counts.ByClass[i]);
        for (int i = 0; i < sum.ByCacheOutcome.Length; i++) sum.ByCacheOutcome[i] += Volatile.Read(ref counts.ByCacheOutcome[i]);
        counts.Durations.AddTo(sum.Durations, ref sum.Ticks);
        sum.Received += counts.Received;
        sum.Sent += counts.Sent;
        sum.Retries += counts.Retries;
        sum.DeniedRetries += counts.DeniedRetries;
        sum.Hedges += counts.Hedges;
    }

    internal TrafficView View() => new(
        [.. _requests.Select(pair => new RequestTraffic(pair.Key.Listener, pair.Key.Route, pair.Value.ByClass, pair.Value.ByCacheOutcome, View(pair.Value.Durations, pair.Value.Ticks), pair.Value.Received,
            pair.Value.Sent, pair.Value.Retries, pair.Value.DeniedRetries, pair.Value.Hedges))],
        Ends,
        [.. snapshot.Listeners.Select(View)],
        [.. snapshot.Clusters.Select(cluster => new ClusterTraffic(cluster.Name, cluster.Ejections))],
        [.. snapshot.Clusters.SelectMany(cluster => cluster.Scheduler.Destinations.Select(destination => View(cluster.Name, destination)))]);

    private ListenerTraffic View(ListenerSnapshot listener)
    {
        Transport.TransportListener? socket = listener.State.Socket; // none before the start
        return new(listener.Name, listener.State.Accepted, listener.State.Open, socket is null ? 0 : Volatile.Read(ref socket.RefusedCount), socket is null ? 0 : Volatile.Read(ref socket.AcceptErrorCount))
        {
            HasTls = listener.Tls is not null,
            FullHandshakes = listener.State.Handshakes(HandshakeOutcome.Full),
            ResumedHandshakes = listener.State.Handshakes(HandshakeOutcome.Resumed),
            FailedHandshakes = listener.State.Handshakes(HandshakeOutcome.Failed),
        };
    }

    private DestinationTraffic View(string cluster, Balancing.Destination destination)
    {
        var state = (DestinationState)destination.Tag!;
        long[] outcomes = new long[DestinationTraffic.Outcomes.Count], firstBytes = new long[DurationView.Bounds.Count + 1];
        long ticks = 0, connects = 0;
        foreach (DestinationCounts counts in state.AllCounts)
        {
            for (int i = 0; i < outcomes.Length; i++) outcomes[i] += Volatile.Read(ref counts.ByOutcome[i]);
            counts.FirstBytes.AddTo(firstBytes, ref ticks);
            connects += counts.Connects;
        }
        return new(cluster, state.Name, destination.Status, destination.Outstanding, state.OpenConnections, connects, outcomes, View(firstBytes, ticks));
    }

    private DurationView View(long[] counts, long ticks) => new(counts, (double)ticks / time.TimestampFrequency);
}
