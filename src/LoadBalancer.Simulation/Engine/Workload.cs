using LoadBalancer.Balancing;
using LoadBalancer.Simulation.Chance;
using LoadBalancer.Simulation.Replay;
using LoadBalancer.Simulation.Scenarios;

namespace LoadBalancer.Simulation.Engine;

/// <summary>
/// The requests of a run, one after the other. Everything about a request is drawn here in order of arrival, from streams that no
/// algorithm touches: with the same seed every algorithm gets the same work at the same times (common random numbers).
/// </summary>
internal sealed class Workload
{
    private readonly Trace? _trace;
    private readonly ArrivalProcess _process;
    private readonly Distribution[] _services; // of each class, or of all
    private readonly double[] _sharesUpTo;     // running sums; empty with one class
    private readonly Distribution? _delay;
    private readonly SimRandom _arrivals, _demands, _balancers, _network, _keys, _classes;
    private readonly int _balancerCount, _keyCount;
    private double _now;
    private int _id = -1;

    internal Workload(Scenario scenario, ulong seed)
    {
        _trace = scenario.Trace;
        (_services, _sharesUpTo) = ServicesOf(scenario);
        _delay = scenario.NetworkDelay?.Build();
        _balancerCount = scenario.Balancers;
        _keyCount = scenario.Keys;
        Requests = _trace is null ? scenario.Requests : Math.Min(scenario.Requests, _trace.Count);
        double rate = Capacity.RateOf(scenario) / 1e9;
        RunLength = _trace is null ? Requests / rate : _trace.Arrivals[Requests - 1];
        _process = Build(scenario.Arrivals, rate);
        _arrivals = new SimRandom(seed, ChanceStream.Arrivals);
        _demands = new SimRandom(seed, ChanceStream.Service);
        _balancers = new SimRandom(seed, ChanceStream.Balancer);
        _network = new SimRandom(seed, ChanceStream.Network);
        _keys = new SimRandom(seed, ChanceStream.Keys);
        _classes = new SimRandom(seed, ChanceStream.Class);
        MoveNext();
    }

    /// <summary>How many there are.</summary>
    internal int Requests { get; }

    /// <summary>Expected time from the first to the last, in nanoseconds.</summary>
    internal double RunLength { get; }

    /// <summary>When the next one comes; <see cref="long.MaxValue"/> after the last.</summary>
    internal long NextTime { get; private set; }

    /// <summary>Fills in what a request brings with it, and moves on to the next.</summary>
    internal void Take(ref Job job)
    {
        job.Id = _id;
        job.ArrivedAt = NextTime;
        job.Class = _sharesUpTo.Length == 0 ? 0 : NextClass();
        job.Demand = _trace is null ? _services[job.Class].Next(_demands) : _trace.Durations[_id];
        job.Delay = _delay is null ? 0 : (long)_delay.Next(_network);
        job.Balancer = _balancerCount == 1 ? 0 : _balancers.Next(_balancerCount);
        job.Key = HashKeys.Mix((ulong)_keys.Next(_keyCount) + 1) | 1; // 0 would mean "no key"
        MoveNext();
    }

    private int NextClass()
    {
        double point = _classes.NextDouble() * _sharesUpTo[^1];
        int kind = 0;
        while (_sharesUpTo[kind] < point) kind++;
        return kind;
    }

    private static (Distribution[] Services, double[] SharesUpTo) ServicesOf(Scenario scenario)
    {
        if (scenario.Classes.Count == 0) return ([scenario.Service.Build()], []);
        double sum = 0;
        return ([.. scenario.Classes.Select(kind => kind.Service.Build())], [.. scenario.Classes.Select(kind => sum += kind.Share)]);
    }

    private void MoveNext()
    {
        if (++_id >= Requests) NextTime = long.MaxValue;
        else if (_trace is not null) NextTime = _trace.Arrivals[_id];
        else
        {
            _now = _process.NextAfter(_now, _arrivals);
            NextTime = (long)_now;
        }
    }

    private ArrivalProcess Build(ArrivalSpec spec, double rate)
    {
        if (spec.Profile.Count > 0) return new ProfiledArrivals(rate, [.. spec.Profile.Select(point => ((double)point.At.In(RunLength), point.Factor))]);
        return spec.Kind switch
        {
            ArrivalKind.Deterministic => new EvenArrivals(rate),
            ArrivalKind.Bursty => new BurstyArrivals(rate, spec.Burst.Factor, spec.Burst.On.Nanoseconds, spec.Burst.Off.Nanoseconds),
            _ => new PoissonArrivals(rate),
        };
    }
}
