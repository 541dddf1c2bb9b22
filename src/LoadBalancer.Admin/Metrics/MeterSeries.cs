using System.Collections.Concurrent;

namespace LoadBalancer.Admin.Metrics;

/// <summary>The series of one instrument, by their labels. Thread-safe.</summary>
internal sealed class MeterSeries(string name, string type, string help)
{
    /// <summary>Most series; what has other labels counts in one that says so.</summary>
    internal const int SeriesMax = 10_000;

    private const string Overflow = "otel_metric_overflow=\"true\"";

    private static readonly double[] Bounds = [0.00001, 0.0001, 0.001, 0.01, 0.1, 1, 10];

    private readonly ConcurrentDictionary<string, Series> _series = new(StringComparer.Ordinal);

    private sealed class Series
    {
        internal double Value;
        internal readonly long[] Counts = new long[Bounds.Length + 1];
    }

    /// <summary>Whether it is read anew each time, from instruments that know what they count.</summary>
    internal bool IsObserved { get; init; }

    /// <summary>Forgets what was read, before it is read again.</summary>
    internal void Clear() => _series.Clear();

    internal void Add(string labels, double value)
    {
        if (!_series.TryGetValue(labels, out Series? series)) series = _series.GetOrAdd(_series.Count < SeriesMax ? labels : Overflow, static _ => new Series());
        lock (series)
        {
            series.Value += value;
            if (type != "histogram") return;
            int index = 0;
            while (index < Bounds.Length && value > Bounds[index]) index++;
            series.Counts[index]++;
        }
    }

    internal void Write(MetricsText text)
    {
        if (_series.IsEmpty) return;
        text.Family(name, type, help);
        foreach ((string labels, Series series) in _series.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            lock (series)
            {
                if (type == "histogram") text.Histogram(name, labels, Bounds, series.Counts, series.Value);
                else text.Sample(name, labels, series.Value);
            }
        }
    }
}
