using System.Collections.Concurrent;
using LoadBalancer.Balancing;
using LoadBalancer.Core;
using LoadBalancer.Core.Transport;
using LoadBalancer.Simulation.Engine;
using LoadBalancer.Simulation.Results;
using LoadBalancer.Simulation.Scenarios;

namespace LoadBalancer.Lab;

/// <summary>
/// One turn of one algorithm. The simulator's servers, timetable, requests and recorder, on one loop of the transport, moved by the clock: what is
/// due happens, at the time it was due, when the loop next looks, which is each millisecond and whenever bytes arrive. Balancers run on
/// loops of their own. Everything starts anew, so that turns with the same seed differ in the algorithm only.
/// </summary>
internal sealed class LiveTurn : LoopWork
{
    private const int SampleEvery = 32; // requests between two looks at all servers
    private const int ConnectionsMax = 2000; // of all clients: a request under way takes four descriptors; those beyond wait, and are timed all the same

    private readonly Scenario _scenario;
    private readonly LiveOptions _options;
    private readonly LatencyHistogram _lateness;
    private readonly Workload _workload;
    private readonly Server[] _servers;
    private readonly EmbeddedServer[] _embedded;
    private readonly Departures _departures;
    private readonly EventHeap _events = new();
    private readonly Fleet _fleet;
    private readonly RunRecorder _recorder;
    private readonly LiveRequest[] _requests;
    private readonly TransportLoop _loop;
    private readonly TimeProvider _time = TimeProvider.System;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentQueue<int> _retried = new();
    private readonly LiveProxy[] _proxies;
    private LoadClient[] _clients = [];
    private long _origin, _lastArrival;
    private int _arrived, _answered, _isPosted;

    private LiveTurn(Scenario scenario, string algorithm, ulong seed, LiveOptions options, LatencyHistogram lateness)
    {
        _scenario = scenario;
        _options = options;
        _lateness = lateness;
        _workload = new Workload(scenario, seed);
        _servers = Fleet.Build(scenario);
        _departures = new Departures(_servers.Length);
        _fleet = new Fleet(scenario, _servers, [], _events, _workload.RunLength, seed);
        _recorder = new RunRecorder(_servers, _workload.Requests, scenario.WarmUp, _workload.RunLength);
        _requests = new LiveRequest[_workload.Requests];
        TransportFactory factory = TransportFactory.Create(options.Transport);
        _loop = factory.CreateLoop(0, _time);
        _loop.UnhandledException = e => _ended.TrySetException(e);
        _embedded = [.. _servers.Select(server => new EmbeddedServer(this, server, factory, _loop))];
        ServerSpec[] specs = [.. scenario.Servers.SelectMany(spec => Enumerable.Repeat(spec, spec.Count))];
        for (int i = 0; i < specs.Length; i++)
            if (specs[i].JoinAt is { } join) _events.Push(join.In(_workload.RunLength), EventKind.Deliver, i); // a kind that only the simulator uses
        var fleet = new LiveFleet(_embedded, specs);
        _proxies = [.. Enumerable.Range(0, scenario.Balancers).Select(_ => new LiveProxy(scenario, algorithm, options, fleet, _retried))];
    }

    /// <summary>The loop's clock: nanoseconds since the turn began.</summary>
    internal long Now => (long)((_time.GetTimestamp() - _origin) * (1e9 / _time.TimestampFrequency));

    internal static async Task<RunResult> RunAsync(Scenario scenario, string algorithm, ulong seed, LiveOptions options, LatencyHistogram lateness)
    {
        var turn = new LiveTurn(scenario, algorithm, seed, options, lateness);
        return await turn.RunAsync(algorithm, seed).ConfigureAwait(false);
    }

    private async Task<RunResult> RunAsync(string algorithm, ulong seed)
    {
        long length;
        try
        {
            foreach (LiveProxy proxy in _proxies) await proxy.Server.StartAsync().ConfigureAwait(false);
            _clients = [.. _proxies.Select(proxy => new LoadClient(this, _loop, proxy.EndPoint, ConnectionsMax / _proxies.Length))];
            _origin = _time.GetTimestamp();
            _loop.Start();
            using (new Metronome(Post)) await _ended.Task.ConfigureAwait(false);
            length = Now;
        }
        finally
        {
            foreach (LiveProxy proxy in _proxies) await proxy.Server.DisposeAsync().ConfigureAwait(false);
            await Task.Run(_loop.Stop).ConfigureAwait(false);
            foreach (EmbeddedServer server in _embedded) server.Dispose();
        }
        // The loop is gone: what was its own is ours.
        foreach (int id in _retried) _recorder.Retried(id);
        return _recorder.Finish(algorithm, seed, length);
    }

    private void Post()
    {
        if (Interlocked.Exchange(ref _isPosted, 1) == 0) _loop.Post(this);
    }

    protected internal override void Execute()
    {
        Volatile.Write(ref _isPosted, 0);
        if (_arrived == 0)
            foreach (EmbeddedServer server in _embedded) server.Open(); // once: repeated calls do nothing
        Advance();
        if (_arrived == _requests.Length && (_answered == _arrived || Now > _lastArrival + _options.Patience.Ticks * 100)) End();
    }

    /// <summary>Lets everything happen that is due.</summary>
    internal void Advance()
    {
        long now = Now;
        while (!_ended.Task.IsCompleted)
        {
            long arrival = _workload.NextTime, departure = _departures.NextTime, other = _events.NextTime;
            long due = Math.Min(arrival, Math.Min(departure, other));
            if (due > now) return;
            _lateness.Record(now - due);
            if (other == due) Handle(_events.Pop(), due);
            else if (departure == due) Depart(due);
            else Arrive(due);
        }
    }

    private void Arrive(long due)
    {
        Job job = default;
        _workload.Take(ref job);
        _requests[job.Id] = new LiveRequest(due, job.Demand);
        _recorder.Arrived(job.Id, due);
        if (job.Id % SampleEvery == 0) _recorder.Sample(due);
        _arrived++;
        _lastArrival = due;
        _clients[job.Balancer].Send(job.Id, job.Key);
    }

    private void Depart(long due)
    {
        Server server = _servers[_departures.First()];
        ServerConnection connection = _embedded[server.Index].Connections[server.Depart(due)];
        _departures.Set(server.Index, server.NextDeparture);
        _recorder.Stayed(due - connection.RequestedAt);
        connection.Answer(isGood: true);
    }

    private void Handle(in SimEvent next, long due)
    {
        switch (next.Kind)
        {
            case EventKind.Deliver:
                foreach (LiveProxy proxy in _proxies) proxy.Join(next.Subject);
                break;
            case EventKind.Answer:
                _embedded[next.Subject].Connections[next.Detail].Answer(isGood: false);
                break;
            default:
                if (_fleet.Handle(next, due) is not { } server) return;
                if (server.Condition == ServerCondition.Down)
                {
                    for (int i = server.Drop(due); i >= 0; i = server.Drop(due)) _recorder.Stayed(due - _embedded[server.Index].Connections[i].RequestedAt);
                    _embedded[server.Index].Abort();
                }
                _departures.Set(server.Index, server.NextDeparture);
                break;
        }
    }

    /// <summary>A request has reached a server.</summary>
    internal void OnRequest(Server server, ServerConnection connection, int id)
    {
        Advance();
        if ((uint)id >= (uint)_arrived || server.Condition == ServerCondition.Down)
        {
            connection.Abort();
            return;
        }
        long now = connection.RequestedAt = Now;
        server.Picks++;
        if (server.Condition == ServerCondition.Up && server.TryAdd(connection.Index, _requests[id].Demand, now)) _departures.Set(server.Index, server.NextDeparture);
        else if (server.Condition == ServerCondition.Up) connection.Answer(isGood: false); // its queue is full
        else _events.Push(now + server.FailLatency, EventKind.Answer, server.Index, connection.Index);
    }

    /// <summary>A request has been answered, or its connection has broken.</summary>
    internal void OnAnswer(int id, PickOutcomeKind kind)
    {
        if (_ended.Task.IsCompleted) return;
        Record(id, kind, Now);
    }

    private void Record(int id, PickOutcomeKind kind, long now)
    {
        _answered++;
        _requests[id].IsAnswered = true;
        _recorder.Record(id, -1, now - _requests[id].ArrivedAt, kind);
    }

    private void End()
    {
        long now = Now;
        for (int id = 0; id < _requests.Length; id++)
            if (!_requests[id].IsAnswered) Record(id, PickOutcomeKind.Timeout, now);
        _ended.TrySetResult();
    }
}

/// <summary>One request of a turn.</summary>
internal record struct LiveRequest(long ArrivedAt, double Demand)
{
    internal bool IsAnswered;
}
