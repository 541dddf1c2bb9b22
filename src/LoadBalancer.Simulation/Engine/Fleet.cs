using LoadBalancer.Balancing;
using LoadBalancer.Simulation.Chance;
using LoadBalancer.Simulation.Scenarios;

namespace LoadBalancer.Simulation.Engine;

/// <summary>What happens to the servers, whatever the balancers do: antagonists, pauses, failures, joining. Drawn from streams of each server.</summary>
internal sealed class Fleet
{
    private const int WarmSteps = 20; // of the line from cold to full speed

    private readonly Server[] _servers;
    private readonly ServerSpec[] _specs;
    private readonly Scheduler[] _schedulers;
    private readonly EventHeap _events;
    private readonly List<SpeedProcess> _processes = [];
    private readonly List<Entry> _timetable = [];
    private readonly List<DestinationSpec> _members = [];
    private readonly double _runLength;

    internal Fleet(Scenario scenario, Server[] servers, Scheduler[] schedulers, EventHeap events, double runLength, ulong seed)
    {
        _servers = servers;
        _schedulers = schedulers;
        _events = events;
        _runLength = runLength;
        _specs = [.. scenario.Servers.SelectMany(spec => Enumerable.Repeat(spec, spec.Count))];
        for (int i = 0; i < servers.Length; i++) Plan(scenario, servers[i], _specs[i], seed);
        foreach (Scheduler scheduler in schedulers) scheduler.Update(_members, 0);
    }

    /// <summary>The servers of a scenario: s1, s2, … or, with several groups, a1, a2, …, b1, ….</summary>
    internal static Server[] Build(Scenario scenario)
    {
        var servers = new List<Server>();
        for (int group = 0; group < scenario.Servers.Count; group++)
        {
            ServerSpec spec = scenario.Servers[group];
            string prefix = scenario.Servers.Count == 1 ? "s" : group < 26 ? ((char)('a' + group)).ToString() : $"g{group}.";
            for (int i = 1; i <= spec.Count; i++)
            {
                var server = new Server(servers.Count, prefix + i, spec.Cores, spec.Discipline == Discipline.FirstComeFirstServed, spec.QueueMax) { BaseSpeed = spec.Speed };
                server.UpdateSpeed(0);
                servers.Add(server);
            }
        }
        return [.. servers];
    }

    /// <summary>Lets an event happen; the server whose speed or condition is another now, or null.</summary>
    internal Server? Handle(in SimEvent next, long now)
    {
        switch (next.Kind)
        {
            case EventKind.Speed:
                SpeedProcess process = _processes[next.Subject];
                _events.Push(now + process.Step(now), EventKind.Speed, next.Subject);
                return process.Server;
            case EventKind.Warmer:
                return Warm(_servers[next.Subject], next.Detail, now);
            default:
                return Happen(_timetable[next.Subject], now);
        }
    }

    private void Plan(Scenario scenario, Server server, ServerSpec spec, ulong seed)
    {
        if (spec.Antagonist is { } antagonist)
            Add(new SpeedProcess(server, isPause: false, 1 / antagonist.Slowdown, antagonist.On.In(_runLength), antagonist.Off.In(_runLength), new SimRandom(seed, ChanceStream.Antagonist, server.Index)));
        if (spec.Pauses is { } pauses)
            Add(new SpeedProcess(server, isPause: true, 0, pauses.Length.In(_runLength), pauses.Every.In(_runLength), new SimRandom(seed, ChanceStream.Pause, server.Index)));
        foreach (SpeedPoint point in spec.SpeedChanges) Add(point.At, server, Happening.Speed, point.Factor);
        if (spec.Crash is { } crash)
        {
            Add(crash.At, server, Happening.Crash);
            if (crash.Until is { } until) Add(until, server, Happening.Recover);
            if (scenario.FailureDetection is { } delay)
            {
                Add(crash.At, server, Happening.FoundDown, after: delay);
                if (crash.Until is { } up) Add(up, server, Happening.FoundUp, after: delay);
            }
        }
        if (spec.BlackHole is { } hole)
        {
            server.FailLatency = hole.Latency.In(_runLength);
            Add(hole.At, server, Happening.FailFast);
            if (hole.Until is { } until) Add(until, server, Happening.Recover);
        }
        if (spec.JoinAt is { } join) Add(join, server, Happening.Join);
        else _members.Add(Member(server));
    }

    private void Add(SpeedProcess process)
    {
        _processes.Add(process);
        _events.Push(process.Begin(), EventKind.Speed, _processes.Count - 1);
    }

    private void Add(SimTime at, Server server, Happening what, double factor = 1, SimTime after = default)
    {
        _timetable.Add(new Entry(server, what, factor));
        _events.Push(at.In(_runLength) + after.In(_runLength), EventKind.Timetable, _timetable.Count - 1);
    }

    private Server? Happen(Entry entry, long now)
    {
        Server server = entry.Server;
        switch (entry.What)
        {
            case Happening.Join:
                _members.Add(Member(server));
                foreach (Scheduler scheduler in _schedulers) scheduler.Update(_members, now);
                Start(server, now);
                break;
            case Happening.Crash:
                server.Condition = ServerCondition.Down;
                break;
            case Happening.FailFast:
                server.Condition = ServerCondition.FailsFast;
                break;
            case Happening.Recover:
                bool wasDown = server.Condition == ServerCondition.Down;
                server.Condition = ServerCondition.Up;
                if (wasDown) Start(server, now);
                break;
            case Happening.Speed:
                server.SetFactor = entry.Factor;
                server.UpdateSpeed(now);
                break;
            default:
                foreach (Scheduler scheduler in _schedulers)
                {
                    if (scheduler.Find(server.Name) is { } member) // it may join later
                        scheduler.Mark(member, DestinationStatus.Unhealthy, entry.What == Happening.FoundDown, now);
                }
                return null;
        }
        return server;
    }

    private void Start(Server server, long now)
    {
        server.Starts++;
        if (_specs[server.Index].ColdStart is not null) Warm(server, server.Starts * (WarmSteps + 1), now);
    }

    // The detail holds which start it is and the step: an interrupted warm-up ends.
    private Server? Warm(Server server, int detail, long now)
    {
        int start = detail / (WarmSteps + 1), step = detail % (WarmSteps + 1);
        if (start != server.Starts) return null;
        ColdStartSpec cold = _specs[server.Index].ColdStart!;
        server.WarmFactor = cold.From + (1 - cold.From) * step / WarmSteps;
        server.UpdateSpeed(now);
        if (step < WarmSteps) _events.Push(now + cold.Over.In(_runLength) / WarmSteps, EventKind.Warmer, server.Index, detail + 1);
        return server;
    }

    private DestinationSpec Member(Server server) => new(server.Name) { Weight = _specs[server.Index].Weight, Priority = _specs[server.Index].Tier, Tag = server };

    private readonly record struct Entry(Server Server, Happening What, double Factor);

    private enum Happening
    {
        Join,
        Crash,
        FailFast,
        Recover,
        Speed,
        FoundDown,
        FoundUp,
    }
}
