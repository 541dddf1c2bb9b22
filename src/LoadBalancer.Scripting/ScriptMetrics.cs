using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace LoadBalancer.Scripting;

/// <summary>What one policy's scripts did, on the meter "LoadBalancer". Tags are the configuration's names. Thread-safe; allocates nothing.</summary>
internal sealed class ScriptMetrics : IDisposable
{
    private readonly string _policy;
    private readonly Meter _meter = new("LoadBalancer");
    private readonly Counter<long> _calls, _reloads;
    private readonly Histogram<double> _duration;

    internal ScriptMetrics(string policy)
    {
        _policy = policy;
        _calls = _meter.CreateCounter<long>("lb.script.calls", "{call}", "Calls of scripts' hooks, by how they ended: \"ok\", \"answered\", \"error\", \"overrun\", \"busy\".");
        _duration = _meter.CreateHistogram<double>("lb.script.duration", "s", "Time in which calls ran, without what they waited for.");
        _reloads = _meter.CreateCounter<long>("lb.script.reloads", "{reload}", "Changes of scripts' files, by whether what they have is used.");
    }

    internal void OnCall(string hook, string outcome, TimeSpan ran)
    {
        if (_calls.Enabled)
        {
            var tags = new TagList { { "policy", _policy }, { "hook", hook }, { "outcome", outcome } };
            _calls.Add(1, tags);
        }
        if (_duration.Enabled) _duration.Record(ran.TotalSeconds, new TagList { { "policy", _policy }, { "hook", hook } });
    }

    internal void OnReload(bool isUsed)
    {
        if (_reloads.Enabled) _reloads.Add(1, new TagList { { "policy", _policy }, { "outcome", isUsed ? "replaced" : "refused" } });
    }

    public void Dispose() => _meter.Dispose();
}
