using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Metrics;

namespace LoadBalancer.Core;

// What a server has counted. Any thread.
public sealed partial class ProxyServer
{
    /// <summary>Name of the histogram on the meter "LoadBalancer" that is told of each request, where somebody listens. <see cref="DescribeTraffic"/> has the same without that price.</summary>
    public const string RequestDurationInstrument = "lb.request.duration";

    internal TrafficMeter TrafficMeter { get; }

    /// <summary>What was served since the start, added up over the loops. Thread-safe; costs them nothing.</summary>
    public TrafficView DescribeTraffic()
    {
        var sum = new TrafficSum(Snapshot, _time);
        foreach (LoopContext context in Volatile.Read(ref _contexts)) context.Traffic.AddTo(sum);
        return sum.View();
    }
}
