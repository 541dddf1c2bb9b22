using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using LoadBalancer.Core;

namespace LoadBalancer.Admin.Metrics;

/// <summary>
/// Listens to the meters "LoadBalancer" of this process, but not to what other servers in it serve, and keeps what they tell. Begins when it is first asked: until then nobody listens, and what is told costs nothing.
/// Thread-safe.
/// </summary>
internal sealed class MeterCollector(ProxyServer server) : IDisposable
{
    private const string MeterName = "LoadBalancer";

    private readonly ConcurrentDictionary<string, MeterSeries> _families = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private MeterListener? _listener;
    private bool _isDisposed;

    /// <summary>Writes all families, in the order of their names.</summary>
    /// <param name="text">Where to.</param>
    /// <param name="traffic">What the server has served, for all instruments that tell of it.</param>
    internal void Write(MetricsText text, TrafficView traffic)
    {
        lock (_lock) // one read at a time: what is observed is cleared first
        {
            if (_isDisposed) return;
            _listener ??= Listen();
            // All that are observed, by whatever instruments there are now: those that were disposed of are told of no more, and held by nobody.
            foreach (MeterSeries series in _families.Values)
                if (series.IsObserved) series.Clear();
            server.TrafficMeter.Share(traffic, _listener.RecordObservableInstruments);
            foreach ((_, MeterSeries series) in _families.OrderBy(family => family.Key, StringComparer.Ordinal)) series.Write(text);
        }
    }

    private MeterListener Listen()
    {
        var listener = new MeterListener { InstrumentPublished = OnPublished };
        listener.SetMeasurementEventCallback<long>(static (_, value, tags, state) => ((MeterSeries)state!).Add(MetricsText.Labels(tags), value));
        listener.SetMeasurementEventCallback<int>(static (_, value, tags, state) => ((MeterSeries)state!).Add(MetricsText.Labels(tags), value));
        listener.SetMeasurementEventCallback<double>(static (_, value, tags, state) => ((MeterSeries)state!).Add(MetricsText.Labels(tags), value));
        listener.Start();
        return listener;
    }

    // Another thread than the reader's may publish: a policy that is made while the server runs.
    private void OnPublished(Instrument instrument, MeterListener listener)
    {
        // The server counts durations itself, without a price for each request.
        if (instrument.Meter.Name != MeterName || instrument.Name == ProxyServer.RequestDurationInstrument) return;
        if (instrument.Meter.Scope is ProxyServer other && other != server) return;
        (string name, string type) = FormOf(instrument);
        MeterSeries series = _families.GetOrAdd(name, static (name, facts) => new MeterSeries(name, facts.Type, facts.Help) { IsObserved = facts.IsObservable },
            (Type: type, Help: instrument.Description ?? "", instrument.IsObservable));
        listener.EnableMeasurementEvents(instrument, series);
    }

    /// <summary>Name and type as Prometheus has them: "lb.limits.shared.duration" in "s" is lb_limits_shared_duration_seconds.</summary>
    internal static (string Name, string Type) FormOf(Instrument instrument)
    {
        string unit = instrument.Unit switch { "s" => "_seconds", "By" => "_bytes", _ => "" };
        Type kind = instrument.GetType().GetGenericTypeDefinition();
        string type = kind == typeof(Counter<>) || kind == typeof(ObservableCounter<>) ? "counter" : kind == typeof(Histogram<>) ? "histogram" : "gauge";
        return ($"{MetricsText.NameOf(instrument.Name)}{unit}{(type == "counter" ? "_total" : "")}", type);
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _isDisposed = true;
            _listener?.Dispose();
        }
    }
}
