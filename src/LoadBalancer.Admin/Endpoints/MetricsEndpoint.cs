using LoadBalancer.Admin.Metrics;
using LoadBalancer.Admin.Routing;
using LoadBalancer.Core;

namespace LoadBalancer.Admin.Endpoints;

/// <summary><c>/metrics</c>: all that is measured, for Prometheus.</summary>
internal sealed class MetricsEndpoint(ProxyServer proxy, MeterCollector collector)
{
    internal Task Get(AdminExchange exchange, CancellationToken aborted)
    {
        exchange.Response.AddField("Content-Type", MetricsText.ContentType);
        var text = new MetricsText(exchange.Response.Body);
        TrafficView traffic = proxy.DescribeTraffic();
        collector.Write(text, traffic);
        text.Family("lb_request_duration_seconds", "histogram", "Time from a request's head to the end of its answer.");
        foreach (RequestTraffic request in traffic.Requests)
            Histogram("lb_request_duration_seconds", request.Durations, new("listener", request.Listener), new("route", request.Route));
        text.Family("lb_destination_first_byte_seconds", "histogram", "Time from the pick of a destination to the first byte of its answer.");
        foreach (DestinationTraffic destination in traffic.Destinations)
            Histogram("lb_destination_first_byte_seconds", destination.FirstBytes, new("cluster", destination.Cluster), new("destination", destination.Destination));
        ProcessMetrics.Write(text, proxy);
        text.Flush();
        return Task.CompletedTask;

        void Histogram(string name, DurationView durations, params ReadOnlySpan<KeyValuePair<string, object?>> labels) =>
            text.Histogram(name, MetricsText.Labels(labels), DurationView.Bounds, durations.Counts, durations.SumSeconds);
    }
}
