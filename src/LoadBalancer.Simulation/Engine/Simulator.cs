using LoadBalancer.Balancing;
using LoadBalancer.Simulation.Chance;
using LoadBalancer.Simulation.Results;
using LoadBalancer.Simulation.Scenarios;

namespace LoadBalancer.Simulation.Engine;

/// <summary>
/// One run: requests come, the production schedulers pick, simulated servers work, all in virtual time counted in nanoseconds. One thread;
/// what happens depends on scenario, policy and seed alone.
/// </summary>
internal sealed class Simulator
{
    private const int SampleEvery = 32; // arrivals between two looks at all servers
    private const int RetriesPerSecondMin = 3; // the proxy's default
    private readonly Scenario _scenario;
    private readonly ulong _seed;
    private readonly Workload _workload;
    private readonly Fleet _fleet;
    private readonly Server[] _servers;
    private readonly Departures _departures;
    private readonly EventHeap _events = new();
    private readonly JobTable _jobs = new();
    private readonly Scheduler[] _schedulers;
    private readonly RunRecorder _recorder;
    private readonly Probes _probes;
    private readonly RetryBudget[]? _retryBudgets; // of each balancer
    private readonly PickWatch? _watch;
    private readonly ClassMeans[]? _classMeans; // of each balancer, for algorithms that take the mean of the class off
    private readonly long _timeout;
    private int _recorded; // requests that ended

    internal Simulator(Scenario scenario, Algorithm algorithm, ulong seed, PickWatch? watch = null)
    {
        _scenario = scenario;
        _seed = seed;
        _watch = watch;
        _workload = new Workload(scenario, seed);
        _timeout = scenario.Timeout.In(_workload.RunLength);
        _servers = Fleet.Build(scenario);
        _departures = new Departures(_servers.Length);
        _schedulers = new Scheduler[scenario.Balancers];
        for (int i = 0; i < _schedulers.Length; i++)
        {
            _schedulers[i] = new Scheduler(algorithm.Policy, new SchedulerOptions
            {
                TimestampFrequency = 1_000_000_000,
                Seed = new SimRandom(seed, ChanceStream.Policy, i).Next(),
                Ejection = scenario.Ejection ? new EjectionOptions() : null,
                SlowStart = TimeSpan.FromTicks(scenario.SlowStart.In(_workload.RunLength) / 100),
            });
        }
        if (scenario.RetryBudget is { } budget) _retryBudgets = [.. _schedulers.Select(_ => new RetryBudget(budget, RetriesPerSecondMin, 1, 1_000_000_000, 0))];
        if (algorithm.IsByClass && scenario.Classes.Count > 1) _classMeans = [.. _schedulers.Select(_ => new ClassMeans())];
        _fleet = new Fleet(scenario, _servers, _schedulers, _events, _workload.RunLength, seed);
        _probes = new Probes(_servers, _schedulers, _events);
        _recorder = new RunRecorder(_servers, _workload.Requests, scenario.WarmUp, _workload.RunLength);
    }

    internal RunResult Run(string algorithm)
    {
        // Requests that never end, at a server that hangs, must not keep the clock running for ever.
        double limit = 5 * _workload.RunLength + 600e9;
        long now = 0;
        while (_recorded < _workload.Requests)
        {
            long arrival = _workload.NextTime, departure = _departures.NextTime, other = _events.NextTime;
            long next = Math.Min(arrival, Math.Min(departure, other));
            if (next > limit) break;
            now = next;
            if (other == now) Handle(_events.Pop(), now);
            else if (departure == now) Depart(now);
            else Arrive(now);
        }
        for (int slot = 0; slot < _jobs.Used; slot++)
            if (_jobs.IsWaitedFor(slot)) _recorder.Record(_jobs[slot].Id, _jobs[slot].Server.Index, now - _jobs[slot].ArrivedAt, PickOutcomeKind.Timeout);
        return _recorder.Finish(algorithm, _seed, now);
    }

    // Hot path: per request, with what it calls. 0 allocations. SimulatorTests.Run_TwiceTheRequests_AllocatesNoMore
    private void Arrive(long now)
    {
        int slot = _jobs.Take();
        ref Job job = ref _jobs[slot];
        _workload.Take(ref job);
        job.Attempt = 0;
        _recorder.Arrived(job.Id, now);
        _retryBudgets?[job.Balancer].CountRequest(0);
        if (job.Id % SampleEvery == 0) _recorder.Sample(now);
        Dispatch(slot, exclude: null, now);
    }

    private void Dispatch(int slot, Destination? exclude, long now)
    {
        ref Job job = ref _jobs[slot];
        job.SentAt = now;
        job.IsGivenUp = false;
        _watch?.Before(_schedulers[job.Balancer], now);
        job.Lease = _schedulers[job.Balancer].Pick(new PickContext(now, job.Attempt, job.Key, exclude));
        if (!job.Lease.IsActive)
        {
            Record(job, PickOutcomeKind.ConnectFailure, now);
            _jobs.Return(slot);
            return;
        }
        var server = (Server)job.Lease.Destination.Tag!;
        job.Server = server;
        server.Outstanding++;
        server.Picks++;
        _watch?.After(job.Id, job.Balancer, server, now);
        _probes.Send(job.Balancer, job.Delay, now);
        if (_timeout > 0) _events.Push(now + _timeout, EventKind.Timeout, slot, job.Generation);
        if (job.Delay > 0) _events.Push(now + job.Delay, EventKind.Deliver, slot);
        else Deliver(slot, now);
    }

    private void Deliver(int slot, long now)
    {
        ref Job job = ref _jobs[slot];
        Server server = job.Server;
        job.DeliveredAt = now;
        job.FoundInFlight = server.InFlight;
        if (server.Condition == ServerCondition.Up && server.TryAdd(slot, job.Demand, now))
        {
            _departures.Set(server.Index, server.NextDeparture);
            return;
        }
        job.Outcome = server.Condition == ServerCondition.Down ? PickOutcomeKind.ConnectFailure : PickOutcomeKind.ServerError;
        long latency = server.Condition == ServerCondition.FailsFast ? server.FailLatency : 0;
        _events.Push(now + latency + job.Delay, EventKind.Answer, slot);
    }

    private void Depart(long now)
    {
        Server server = _servers[_departures.First()];
        int slot = server.Depart(now);
        _departures.Set(server.Index, server.NextDeparture);
        ref Job job = ref _jobs[slot];
        long stay = now - job.DeliveredAt;
        _recorder.Stayed(stay);
        server.Learn(job.FoundInFlight, stay);
        job.Outcome = PickOutcomeKind.Success;
        if (job.Delay > 0) _events.Push(now + job.Delay, EventKind.Answer, slot);
        else Answer(slot, now);
    }

    private void Handle(in SimEvent next, long now)
    {
        switch (next.Kind)
        {
            case EventKind.Deliver:
                Deliver(next.Subject, now);
                break;
            case EventKind.Answer:
                Answer(next.Subject, now);
                break;
            case EventKind.Timeout:
                GiveUp(next.Subject, next.Detail, now);
                break;
            case EventKind.ProbeAtServer:
                _probes.AtServer(next.Subject, now);
                break;
            case EventKind.ProbeAnswer:
                _probes.Answer(next.Subject, now);
                break;
            default:
                if (_fleet.Handle(next, now) is { } server) Changed(server, now);
                break;
        }
    }

    // A server's speed or condition is another now.
    private void Changed(Server server, long now)
    {
        if (server.Condition == ServerCondition.Down)
        {
            for (int slot = server.Drop(now); slot >= 0; slot = server.Drop(now))
            {
                ref Job job = ref _jobs[slot];
                _recorder.Stayed(now - job.DeliveredAt);
                job.Outcome = PickOutcomeKind.ProtocolFailure;
                _events.Push(now + job.Delay, EventKind.Answer, slot);
            }
        }
        _departures.Set(server.Index, server.NextDeparture);
    }

    private void Answer(int slot, long now)
    {
        ref Job job = ref _jobs[slot];
        if (!job.IsGivenUp)
        {
            Job ended = Complete(ref job, job.Outcome, now);
            _jobs.Return(slot); // before a retry, which may take this very slot
            EndAttempt(ended, ended.Outcome, now);
        }
        else _jobs.Return(slot);
    }

    private void GiveUp(int slot, int generation, long now)
    {
        ref Job job = ref _jobs[slot];
        if (job.Generation != generation || job.IsGivenUp) return; // it was answered in time
        job.IsGivenUp = true;
        EndAttempt(Complete(ref job, PickOutcomeKind.Timeout, now), PickOutcomeKind.Timeout, now);
    }

    private Job Complete(ref Job job, PickOutcomeKind kind, long now)
    {
        long total = now - job.SentAt, firstByte = kind == PickOutcomeKind.Success ? total : -1;
        if (firstByte >= 0 && _classMeans is not null) firstByte = _classMeans[job.Balancer].Normalize(job.Class, firstByte);
        job.Server.Outstanding--;
        job.Lease.Complete(new PickOutcome(kind, 0, firstByte, total));
        return job;
    }

    private void EndAttempt(in Job ended, PickOutcomeKind kind, long now)
    {
        if (kind == PickOutcomeKind.Success || ended.Attempt >= _scenario.Retries || _retryBudgets?[ended.Balancer].TryTake(now) == false)
        {
            Record(ended, kind, now);
            return;
        }
        _recorder.Retried(ended.Id);
        int slot = _jobs.Take();
        ref Job retry = ref _jobs[slot];
        int generation = retry.Generation;
        retry = ended;
        retry.Generation = generation;
        retry.Attempt++;
        Dispatch(slot, ended.Lease.Destination, now);
    }

    private void Record(in Job job, PickOutcomeKind kind, long now)
    {
        _recorded++;
        _recorder.Record(job.Id, job.Server?.Index ?? -1, now - job.ArrivedAt, kind);
    }
}
