using System.Diagnostics;
using System.Diagnostics.Metrics;
using LoadBalancer.Balancing;
using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Core.Metrics;

/// <summary>
/// What a server serves, on the meter "LoadBalancer": counts are read from the loops when somebody asks. Only the duration is told for each request, and only where somebody listens. Tags are names
/// of the configuration and of destinations, so their number is bounded by it.
/// </summary>
internal sealed class TrafficMeter : IDisposable
{
    private static readonly string[] Reasons = Enum.GetNames<EndReason>();

    private readonly ProxyServer _server;
    private readonly Meter _meter;
    private readonly Histogram<double> _duration;

    [ThreadStatic]
    private static (TrafficMeter Meter, TrafficView View)? t_shared; // while one look reads all instruments

    internal TrafficMeter(ProxyServer server)
    {
        _server = server;
        _meter = new Meter(new MeterOptions("LoadBalancer") { Scope = server }); // of several in one process each can be told apart
        _duration = _meter.CreateHistogram<double>(ProxyServer.RequestDurationInstrument, "s", "Time from a request's head to the end of its answer.");
        Count("lb.requests", "{request}", "Requests, by the class of their status.", view => view.Requests.SelectMany(request => request.ByClass.Index().Where(count => count.Item > 0)
            .Select(count => Measured(count.Item, ("listener", request.Listener), ("route", request.Route), ("status", RequestTraffic.Classes[count.Index])))));
        Count("lb.request.body", "By", "Bytes of bodies, without framing.", view => view.Requests.SelectMany(request => new[]
        {
            Measured(request.BytesReceived, ("listener", request.Listener), ("route", request.Route), ("direction", "received")),
            Measured(request.BytesSent, ("listener", request.Listener), ("route", request.Route), ("direction", "sent")),
        }));
        Count("lb.request.retries", "{attempt}", "Attempts after the first.", view => view.Requests.Select(request => Measured(request.Retries, ("listener", request.Listener), ("route", request.Route))));
        Count("lb.request.retries.denied", "{request}", "Requests that were not repeated as the retry budget was spent.",
            view => view.Requests.Select(request => Measured(request.DeniedRetries, ("listener", request.Listener), ("route", request.Route))));
        Count("lb.request.hedges", "{request}", "Requests that were sent to a second destination while the first was silent.",
            view => view.Requests.Select(request => Measured(request.Hedges, ("listener", request.Listener), ("route", request.Route))));
        Count("lb.cache.requests", "{request}", "Requests of routes with a cache, by what it had to do with them.", view => view.Requests.SelectMany(request => request.ByCacheOutcome.Index()
            .Where(count => count.Item > 0).Select(count => Measured(count.Item, ("listener", request.Listener), ("route", request.Route), ("outcome", RequestTraffic.CacheOutcomes[count.Index])))));
        Count("lb.ends", "{end}", "Requests and connections that have ended, by reason.", view => view.Ends.Index().Where(end => end.Item > 0).Select(end => Measured(end.Item, ("reason", Reasons[end.Index]))));
        Count("lb.connections.accepted", "{connection}", "Connections that clients have made.", view => view.Listeners.Select(listener => Measured(listener.Accepted, ("listener", listener.Listener))));
        Count("lb.connections.refused", "{connection}", "Connections refused as there were as many as there may be.", view => view.Listeners.Select(listener => Measured(listener.Refused, ("listener", listener.Listener))));
        Count("lb.accept.errors", "{error}", "Accepts that have failed, for want of descriptors or memory.", view => view.Listeners.Select(listener => Measured(listener.AcceptErrors, ("listener", listener.Listener))));
        Count("lb.ejections", "{ejection}", "Destinations ejected as outliers.", view => view.Clusters.Select(cluster => Measured(cluster.Ejections, ("cluster", cluster.Cluster))));
        Count("lb.tls.handshakes", "{handshake}", "TLS hand-shakes of clients, by how they ended; of the portable path, resumed ones count as full.", view => view.Listeners.Where(listener => listener.HasTls).SelectMany(listener => new[]
        {
            Measured(listener.FullHandshakes, ("listener", listener.Listener), ("outcome", "full")), Measured(listener.ResumedHandshakes, ("listener", listener.Listener), ("outcome", "resumed")),
            Measured(listener.FailedHandshakes, ("listener", listener.Listener), ("outcome", "failed")),
        }));
        _ = _meter.CreateObservableCounter("lb.loop.idle", () => server.Contexts.Select(context => new Measurement<double>((double)context.Loop.IdleTicks / context.Loop.Time.TimestampFrequency,
            new KeyValuePair<string, object?>("loop", context.Loop.Index))), "s", "Time for which an event loop has waited for something to do; in the rest it was busy.");
        Level("lb.connections.open", "{connection}", "Connections of clients now.", view => view.Listeners.Select(listener => Measured(listener.Open, ("listener", listener.Listener))));
        Count("lb.destination.attempts", "{attempt}", "Attempts at a destination, by how they ended.", view => view.Destinations.SelectMany(destination => destination.ByOutcome.Index()
            .Where(count => count.Item > 0).Select(count => Measured(count.Item, ("cluster", destination.Cluster), ("destination", destination.Destination), ("outcome", DestinationTraffic.Outcomes[count.Index])))));
        Count("lb.destination.connects", "{connection}", "Connections made to a destination.", view => view.Destinations.Select(destination => Of(destination, destination.Connects)));
        Level("lb.destination.connections", "{connection}", "Connections to a destination now.", view => view.Destinations.Select(destination => Of(destination, destination.ConnectionsOpen)));
        Level("lb.destination.outstanding", "{request}", "Requests that a destination has now.", view => view.Destinations.Select(destination => Of(destination, destination.Outstanding)));
        Level("lb.destination.usable", "1", "1 where a destination may be picked; 0 where it is draining, ejected or found unhealthy.",
            view => view.Destinations.Select(destination => Of(destination, destination.Status == DestinationStatus.Eligible ? 1 : 0)));
        _ = _meter.CreateObservableCounter("lb.limit.decisions", () => server.DescribeLimits().SelectMany(limit => new[]
        {
            Measured(limit.AllowedTotal, ("limit", limit.Name), ("outcome", "allowed")), Measured(limit.RefusedTotal, ("limit", limit.Name), ("outcome", "refused")),
        }), "{request}", "Requests that a limit has let through, and refused or would have.");
        _ = _meter.CreateObservableCounter("lb.cache.lookups", () => Parts().SelectMany(part => new[]
        {
            Measured(part.View.Hits, ("cache", part.Cache), ("part", part.Name), ("outcome", "hit")), Measured(part.View.Misses, ("cache", part.Cache), ("part", part.Name), ("outcome", "miss")),
        }), "{lookup}", "Look-ups of a cache, in memory and on disk.");
        _ = _meter.CreateObservableCounter("lb.cache.evictions", () => Parts().Select(part => Measured(part.View.Evictions, ("cache", part.Cache), ("part", part.Name))), "{response}", "Responses that made room for others.");
        _ = _meter.CreateObservableGauge("lb.cache.size", () => Parts().Select(part => Measured(part.View.Bytes, ("cache", part.Cache), ("part", part.Name))), "By", "What is stored.");
        _ = _meter.CreateObservableGauge("lb.cache.objects", () => Parts().Select(part => Measured(part.View.Objects, ("cache", part.Cache), ("part", part.Name))), "{response}", "Responses that are stored.");
    }

    /// <summary>A request has ended.</summary>
    // Hot path: per request; nothing where nobody listens.
    internal void Note(ListenerSnapshot listener, RouteSnapshot? route, CompletionRecord record, TimeProvider time)
    {
        if (!_duration.Enabled) return;
        var tags = new TagList { { "listener", listener.Name }, { "route", route?.Name ?? "" }, { "status", RequestTraffic.Classes[RequestTraffic.ClassOf(record.Status)] } };
        _duration.Record((double)record.TotalTicks / time.TimestampFrequency, tags);
    }

    private IEnumerable<(string Cache, string Name, CachePartView View)> Parts()
    {
        foreach (CacheView cache in _server.DescribeCaches())
        {
            yield return (cache.Name, "memory", cache.Memory);
            if (cache.Disk is { } disk) yield return (cache.Name, "disk", disk);
        }
    }

    /// <summary>Has all instruments that are read meanwhile, on this thread, tell of one view: adding the loops up costs as much for one instrument as for all.</summary>
    internal void Share(TrafficView view, Action read)
    {
        t_shared = (this, view);
        try
        {
            read();
        }
        finally
        {
            t_shared = null;
        }
    }

    private TrafficView View() => t_shared is { } shared && shared.Meter == this ? shared.View : _server.DescribeTraffic();

    private void Count(string name, string unit, string description, Func<TrafficView, IEnumerable<Measurement<long>>> read) =>
        _meter.CreateObservableCounter(name, () => read(View()), unit, description);

    private void Level(string name, string unit, string description, Func<TrafficView, IEnumerable<Measurement<long>>> read) =>
        _meter.CreateObservableGauge(name, () => read(View()), unit, description);

    private static Measurement<long> Of(DestinationTraffic destination, long value) => Measured(value, ("cluster", destination.Cluster), ("destination", destination.Destination));

    private static Measurement<long> Measured(long value, params ReadOnlySpan<(string Name, string Value)> tags)
    {
        var pairs = new KeyValuePair<string, object?>[tags.Length];
        for (int i = 0; i < tags.Length; i++) pairs[i] = new(tags[i].Name, tags[i].Value);
        return new(value, pairs);
    }

    public void Dispose() => _meter.Dispose();
}
