using LoadBalancer.Balancing;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Transport;

namespace LoadBalancer.Core.Probing;

/// <summary>Sends a cluster's load probes from one loop, in a turn of their own after the requests that made them due. That loop's thread.</summary>
internal sealed class LoadProber : LoopWork
{
    private const int TargetsMax = 16; // for each turn; what is due beyond is taken in the next

    private readonly Destination[] _targets = new Destination[TargetsMax];
    private LoadProbe? _free;
    private int _inFlight;
    private bool _isPosted;

    internal LoadProber(LoopContext context, ClusterSnapshot cluster, LoadProbing probing)
    {
        Context = context;
        Cluster = cluster;
        Probing = probing;
    }

    internal LoopContext Context { get; }
    internal ClusterSnapshot Cluster { get; }
    internal LoadProbing Probing { get; }

    internal void AfterPick()
    {
        // Posted rather than sent: a probe costs as much as a request, which would wait for it.
        if (_isPosted || _inFlight >= Probing.InFlightMax) return;
        _isPosted = true;
        Context.Loop.Post(this);
    }

    protected internal override void Execute()
    {
        _isPosted = false;
        if (Context.IsDraining) return;
        int count = Cluster.Scheduler.TakeProbes(_targets.AsSpan(0, Math.Min(TargetsMax, Probing.InFlightMax - _inFlight)));
        _inFlight += count;
        for (int i = 0; i < count; i++)
        {
            LoadProbe probe = _free ?? new LoadProbe(this);
            _free = probe.NextFree;
            probe.NextFree = null;
            probe.Start(_targets[i]);
        }
    }

    /// <summary>A probe has ended and can be used again.</summary>
    internal void Return(LoadProbe probe)
    {
        _inFlight--;
        probe.NextFree = _free;
        _free = probe;
    }
}
