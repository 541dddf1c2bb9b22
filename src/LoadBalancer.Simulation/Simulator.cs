using LoadBalancer.Balancing;

namespace LoadBalancer.Simulation;

/// <summary>
/// Runs the production schedulers against simulated servers. Virtual time, one thread, chance from the seed alone: the same scenario and
/// policy give the same picks on any machine. Nothing is allocated once the arrays have grown to the run's size.
/// </summary>
public sealed class Simulator
{
    /// <summary>Virtual ticks are nanoseconds.</summary>
    public const long TicksPerSecond = 1_000_000_000;

    private const long Start = TicksPerSecond; // not 0, which would look like "never"

    private readonly Scenario _scenario;
    private readonly Scheduler[] _schedulers;
    private readonly Server[] _servers;
    private readonly long[] _picks;
    private readonly long[] _failsAfter; // ticks; negative while it works
    private readonly EventTree _events;
    private readonly PriorityQueue<int, long> _failing = new();
    private readonly PickRandom _arrivalRandom, _demandRandom, _balancerRandom;
    private readonly LatencyHistogram _latency = new();
    private readonly int _warmUp;
    private Job[] _jobs = new Job[64];
    private int _freeJob = -1, _jobCount;
    private int _arrived, _nextChange;
    private long _measuredFrom, _lastArrival, _errors, _refused;
    private ulong _hash;
    private ServerResult[] _serverResults = [];

    private struct Job
    {
        internal PickLease Lease;
        internal long ArrivedAt;
        internal int Balancer;
        internal bool IsMeasured;
        internal int NextFree;
    }

    private Simulator(Scenario scenario, IBalancingPolicy policy)
    {
        _scenario = scenario;
        int count = scenario.Servers.Count;
        _servers = [.. scenario.Servers.Select(model => new Server(model, Start))];
        _picks = new long[count];
        _failsAfter = new long[count];
        Array.Fill(_failsAfter, -1);
        _events = new EventTree(count + 3);
        _warmUp = (int)(scenario.Requests * scenario.WarmUp);
        // A stream for each purpose: what one draws never shifts another's.
        _arrivalRandom = Stream(scenario.Seed, 0);
        _demandRandom = Stream(scenario.Seed, 1);
        _balancerRandom = Stream(scenario.Seed, 2);
        _schedulers = new Scheduler[scenario.Balancers];
        for (int b = 0; b < _schedulers.Length; b++)
        {
            _schedulers[b] = new Scheduler(policy, new SchedulerOptions { TimestampFrequency = TicksPerSecond, Seed = Stream(scenario.Seed, 1000 + b).Next() });
            _schedulers[b].Update([.. Enumerable.Range(0, count).Select(i => new DestinationSpec($"server-{i}") { Tag = i })], Start);
        }
    }

    private int ArrivalSource => _servers.Length;
    private int FailureSource => _servers.Length + 1;
    private int ChangeSource => _servers.Length + 2;

    /// <summary>Simulates a scenario under a policy.</summary>
    public static SimulationResult Run(Scenario scenario, IBalancingPolicy policy) => new Simulator(scenario, policy).Run();

    private static PickRandom Stream(ulong seed, int index) => new(new PickRandom(seed + (ulong)index * 0x9E3779B97F4A7C15).Next());

    private SimulationResult Run()
    {
        _events.Set(ArrivalSource, Start + Ticks(_scenario.Arrivals.Next(_arrivalRandom)));
        ScheduleChange();
        while (_events.FirstTime < long.MaxValue)
        {
            long now = _events.FirstTime;
            int source = _events.First;
            if (source < _servers.Length)
            {
                Answer(_servers[source].End(now), PickOutcomeKind.Success, now);
                _events.Set(source, _servers[source].NextEnd);
            }
            else if (source == ArrivalSource) Arrive(now);
            else if (source == FailureSource)
            {
                Answer(_failing.Dequeue(), PickOutcomeKind.ServerError, now);
                _events.Set(FailureSource, _failing.TryPeek(out _, out long next) ? next : long.MaxValue);
            }
            else Change(now);
        }
        return Result();
    }

    private void Arrive(long now)
    {
        if (_arrived == _warmUp) BeginMeasuring(now);
        _lastArrival = now;
        bool isMeasured = _arrived++ >= _warmUp;
        if (_arrived < _scenario.Requests) _events.Set(ArrivalSource, now + Ticks(_scenario.Arrivals.Next(_arrivalRandom)));
        else
        {
            _events.Set(ArrivalSource, long.MaxValue);
            EndMeasuring(now);
        }

        double demand = _scenario.Demand.Next(_demandRandom); // also where it is not used: the next request's must be the same
        int balancer = _schedulers.Length == 1 ? 0 : _balancerRandom.Next(_schedulers.Length);
        PickLease lease = _schedulers[balancer].Pick(new PickContext(now, HashKey: _demandRandom.Next()));
        if (!lease.IsActive)
        {
            _refused++;
            return;
        }
        int picked = (int)lease.Destination.Tag!;
        _hash = (_hash ^ (ulong)picked) * 0x100000001B3 + 1;
        if (isMeasured) _picks[picked]++;
        int job = NewJob();
        _jobs[job] = new Job { Lease = lease, ArrivedAt = now, Balancer = balancer, IsMeasured = isMeasured };
        if (_failsAfter[picked] >= 0)
        {
            _failing.Enqueue(job, now + _failsAfter[picked]);
            _events.Set(FailureSource, _failing.TryPeek(out _, out long next) ? next : long.MaxValue);
            return;
        }
        _servers[picked].Begin(job, demand, now);
        _events.Set(picked, _servers[picked].NextEnd);
    }

    private void Answer(int id, PickOutcomeKind kind, long now)
    {
        ref Job job = ref _jobs[id];
        long total = now - job.ArrivedAt;
        job.Lease.Complete(new PickOutcome(kind, 0, total, total));
        if (job.IsMeasured)
        {
            if (kind == PickOutcomeKind.Success) _latency.Add(total);
            else _errors++;
        }
        job.NextFree = _freeJob;
        _freeJob = id;
    }

    private void Change(long now)
    {
        ServerChange change = _scenario.Changes[_nextChange++];
        if (change.Speed is { } speed)
        {
            _servers[change.Server].SetSpeed(speed, now);
            _events.Set(change.Server, _servers[change.Server].NextEnd);
        }
        if (change.FailsAfterSeconds is { } seconds) _failsAfter[change.Server] = seconds < 0 ? -1 : Ticks(seconds);
        ScheduleChange();
    }

    private void ScheduleChange() =>
        _events.Set(ChangeSource, _nextChange < _scenario.Changes.Count ? Start + Ticks(_scenario.Changes[_nextChange].AtSeconds) : long.MaxValue);

    private int NewJob()
    {
        if (_freeJob < 0)
        {
            if (_jobCount == _jobs.Length) Array.Resize(ref _jobs, 2 * _jobCount);
            return _jobCount++;
        }
        int job = _freeJob;
        _freeJob = _jobs[job].NextFree;
        return job;
    }

    private void BeginMeasuring(long now)
    {
        _measuredFrom = now;
        foreach (Server server in _servers) server.ResetAreas(now);
    }

    private void EndMeasuring(long now)
    {
        double ticks = Math.Max(1, now - _measuredFrom);
        foreach (Server server in _servers) server.Advance(now);
        _serverResults = [.. _servers.Select((server, i) =>
            new ServerResult(_picks[i], server.BusyArea / ticks / _scenario.Servers[i].Cores, server.CountArea / ticks, server.CountMax))];
    }

    private SimulationResult Result() => new()
    {
        Latency = _latency,
        Errors = _errors,
        Refused = _refused,
        Seconds = (_lastArrival - _measuredFrom) / (double)TicksPerSecond,
        Servers = _serverResults,
        PickHash = _hash,
    };

    private static long Ticks(double seconds) => (long)(seconds * TicksPerSecond + 0.5);
}
