using LoadBalancer.Balancing;
using LoadBalancer.Simulation.Chance;
using LoadBalancer.Simulation.Results;

namespace LoadBalancer.Simulation.Engine;

/// <summary>What is measured in a run. The first requests, by their number, are left out.</summary>
internal sealed class RunRecorder(Server[] servers, int requests, double warmUp, double runLength)
{
    private readonly int _firstMeasured = (int)(requests * warmUp);
    private readonly LatencyHistogram _latency = new();
    private readonly Timeline _timeline = new(servers.Length, runLength);
    private readonly ServerTotals[] _atBegin = new ServerTotals[servers.Length];
    private readonly ServerTotals[] _atEnd = new ServerTotals[servers.Length];
    private long _measuredFrom, _measuredTo;
    private long _errors, _retries, _measured;
    private readonly long[] _queueLengths = new long[RunResult.QueueLengthMax + 1];
    private double _highestSum, _meanSum; // of in flight per core, over samples
    private double _stays;
    private ulong _hash;

    internal void Arrived(int id, long now)
    {
        if (id == _firstMeasured) Take(_atBegin, ref _measuredFrom, now);
        if (id == requests - 1) Take(_atEnd, ref _measuredTo, now); // what follows is only the rest
    }

    internal void Sample(long now)
    {
        Span<long> slice = _timeline.Sample(now);
        double highest = 0, sum = 0;
        for (int i = 0; i < servers.Length; i++)
        {
            int inFlight = servers[i].InFlight;
            slice[i] += inFlight;
            _queueLengths[Math.Min(inFlight, RunResult.QueueLengthMax)]++;
            double perCore = (double)inFlight / servers[i].Cores;
            highest = Math.Max(highest, perCore);
            sum += perCore;
        }
        _highestSum += highest;
        _meanSum += sum / servers.Length;
    }

    /// <summary>A request has left a server after so long.</summary>
    internal void Stayed(long nanoseconds) => _stays += nanoseconds;

    internal void Retried(int id)
    {
        if (id >= _firstMeasured) _retries++;
    }

    /// <summary>A request has ended.</summary>
    internal void Record(int id, int server, long latency, PickOutcomeKind kind)
    {
        _hash = HashKeys.Mix(_hash ^ ((ulong)latency << 16) ^ ((ulong)id << 48) ^ (ulong)(server + 1) ^ ((ulong)kind << 12));
        if (id < _firstMeasured) return;
        _measured++;
        if (kind != PickOutcomeKind.Success) _errors++;
        if (kind is PickOutcomeKind.Success or PickOutcomeKind.Timeout) _latency.Record(latency);
    }

    internal RunResult Finish(string algorithm, ulong seed, long now)
    {
        foreach (Server server in servers) server.Advance(now);
        double jobTime = servers.Sum(server => server.JobTime);
        return new RunResult
        {
            Algorithm = algorithm,
            Seed = seed,
            Requests = requests,
            Measured = _measured,
            Errors = _errors,
            Retries = _retries,
            Latency = _latency,
            Imbalance = _meanSum == 0 ? 1 : _highestSum / _meanSum,
            Servers = Results(),
            QueueLengths = _queueLengths,
            Timeline = _timeline,
            Length = now,
            LittleRatio = jobTime == 0 ? 1 : _stays / jobTime,
            Hash = _hash,
        };
    }

    private ServerResult[] Results()
    {
        double length = Math.Max(1, _measuredTo - _measuredFrom);
        long picks = 0;
        for (int i = 0; i < servers.Length; i++) picks += _atEnd[i].Picks - _atBegin[i].Picks;
        return [.. servers.Select((server, i) => new ServerResult(server.Name,
            (double)(_atEnd[i].Picks - _atBegin[i].Picks) / Math.Max(1, picks),
            (_atEnd[i].BusyTime - _atBegin[i].BusyTime) / length / server.Cores,
            (_atEnd[i].JobTime - _atBegin[i].JobTime) / length,
            server.InFlightMax))];
    }

    private void Take(ServerTotals[] totals, ref long at, long now)
    {
        at = now;
        for (int i = 0; i < totals.Length; i++) totals[i] = servers[i].Totals(now);
    }
}
