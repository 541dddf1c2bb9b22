using System.Diagnostics.Metrics;

namespace LoadBalancer.Redis;

/// <summary>How the sharing goes, on the meter "LoadBalancer".</summary>
internal sealed class RedisMeter : IDisposable
{
    private readonly Meter _meter = new("LoadBalancer");
    private readonly Counter<long> _keys, _unshared;
    private readonly Histogram<double> _duration;

    internal RedisMeter()
    {
        _keys = _meter.CreateCounter<long>("lb.limits.shared.keys", "{key}", "Keys of which other nodes were told what was taken.");
        _unshared = _meter.CreateCounter<long>("lb.limits.shared.untold", "{token}", "What was taken and other nodes were not told of: Redis was away, or keys were too many (overflow).");
        _duration = _meter.CreateHistogram<double>("lb.limits.shared.duration", "s", "From telling Redis to its answer, or to the end of the patience.");
        _meter.CreateObservableGauge("lb.limits.shared.connected", () => IsShared ? 1 : 0, "{node}", "1 while limits are shared, 0 while this node limits by itself.");
    }

    internal bool IsShared { get; set; }

    public void Dispose() => _meter.Dispose();

    internal void Unshared(string reason, long cost)
    {
        if (cost > 0) _unshared.Add(cost, new KeyValuePair<string, object?>("reason", reason));
    }

    internal void Synced(TimeSpan duration, List<ShareBatch> batches)
    {
        _duration.Record(duration.TotalSeconds);
        foreach (ShareBatch batch in batches) _keys.Add(batch.Count);
    }
}
