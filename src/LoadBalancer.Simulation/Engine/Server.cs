namespace LoadBalancer.Simulation.Engine;

/// <summary>
/// One simulated server with a number of cores. A job's demand is the time it takes alone at speed 1. With processor sharing the cores
/// are divided evenly among all jobs, none getting more than one; with first come, first served each core works on one job, and the
/// others wait.
/// </summary>
// Both disciplines give every job in service the same rate, so one clock of work per server is enough: a job ends when the clock shows
// its start plus its demand, and a change of speed or of the number of jobs moves no job but only the rate of the clock.
internal sealed class Server(int index, string name, int cores, bool isFirstCome, int queueMax)
{
    private readonly ProbeEndpoint _probes = new(cores);
    private double[] _ends = new double[16]; // heap of the jobs in service by the work at which they end
    private int[] _jobs = new int[16];
    private int _inService;
    private readonly Queue<(int Job, double Demand)> _waiting = new(isFirstCome ? 64 : 0);
    private double _work; // done for each job since the server was last idle, in ns at speed 1
    private double _rate;
    private long _at;     // until when _work is up to date

    internal int Index => index;
    internal string Name => name;
    internal int Cores => cores;

    /// <summary>Jobs here, in service or waiting.</summary>
    internal int InFlight => _inService + _waiting.Count;

    /// <summary>Present speed of a core; 0 while it stalls.</summary>
    internal double Speed { get; private set; } = 1;

    internal double BaseSpeed { get; init; } = 1;
    internal double AntagonistFactor { get; set; } = 1;
    internal double PauseFactor { get; set; } = 1;
    internal double WarmFactor { get; set; } = 1;
    internal double SetFactor { get; set; } = 1;
    internal ServerCondition Condition { get; set; }

    /// <summary>Counts the starts, so that a warm-up that was interrupted is known.</summary>
    internal int Starts { get; set; }

    /// <summary>Time in which a request fails here while the server fails fast.</summary>
    internal long FailLatency { get; set; }

    /// <summary>Picks of this server whose end its balancer does not know yet: those here, and those on the way.</summary>
    internal int Outstanding { get; set; }

    internal long Picks { get; set; }

    internal int InFlightMax { get; private set; }

    /// <summary>Integral of jobs here over time, in jobs times ns.</summary>
    internal double JobTime { get; private set; }

    /// <summary>Integral of cores in use over time.</summary>
    internal double BusyTime { get; private set; }

    /// <summary>Takes a job; false when the queue is full.</summary>
    internal bool TryAdd(int job, double demand, long now)
    {
        Advance(now);
        if (isFirstCome && _inService == cores)
        {
            if (queueMax > 0 && _waiting.Count >= queueMax) return false;
            _waiting.Enqueue((job, demand));
        }
        else if (!isFirstCome && queueMax > 0 && _inService >= cores + queueMax) return false;
        else
        {
            Push(_work + demand, job);
            UpdateRate();
        }
        InFlightMax = Math.Max(InFlightMax, InFlight);
        return true;
    }

    /// <summary>When the first job in service will be finished if nothing changes.</summary>
    internal long NextDeparture
    {
        get
        {
            if (_inService == 0 || _rate == 0) return long.MaxValue;
            double wait = (_ends[0] - _work) / _rate;
            return wait <= 0 ? _at : wait > 1e18 ? long.MaxValue : _at + (long)Math.Ceiling(wait);
        }
    }

    /// <summary>Finishes the first job.</summary>
    internal int Depart(long now)
    {
        Advance(now);
        int job = Pop();
        if (_waiting.TryDequeue(out (int Job, double Demand) next)) Push(_work + next.Demand, next.Job);
        if (_inService == 0) _work = 0; // small numbers keep their precision
        UpdateRate();
        return job;
    }

    /// <summary>Drops one job, any of them; -1 when there is none. For a crash.</summary>
    internal int Drop(long now)
    {
        Advance(now);
        int job = _waiting.TryDequeue(out (int Job, double) waiting) ? waiting.Job : _inService > 0 ? Pop() : -1;
        UpdateRate();
        return job;
    }

    /// <summary>A job has left after so long; it had found so many others here.</summary>
    internal void Learn(int foundInFlight, long latency) => _probes.Record(foundInFlight, latency);

    /// <summary>What the server says of itself.</summary>
    internal Balancing.ProbeResult AnswerProbe() => _probes.Answer(InFlight);

    /// <summary>Takes over a change of one of the factors.</summary>
    internal void UpdateSpeed(long now)
    {
        Advance(now);
        Speed = BaseSpeed * AntagonistFactor * PauseFactor * WarmFactor * SetFactor;
        UpdateRate();
    }

    /// <summary>What has added up so far.</summary>
    internal ServerTotals Totals(long now)
    {
        Advance(now);
        return new ServerTotals(Picks, JobTime, BusyTime);
    }

    /// <summary>Brings work and integrals up to a time.</summary>
    internal void Advance(long now)
    {
        double passed = now - _at;
        _at = now;
        if (_inService == 0) return;
        _work += passed * _rate;
        JobTime += passed * InFlight;
        BusyTime += passed * Math.Min(_inService, cores);
    }

    private void UpdateRate() => _rate = _inService <= cores ? Speed : Speed * cores / _inService;

    private void Push(double end, int job)
    {
        if (_inService == _ends.Length)
        {
            Array.Resize(ref _ends, 2 * _inService);
            Array.Resize(ref _jobs, 2 * _inService);
        }
        int i = _inService++;
        while (i > 0)
        {
            int parent = (i - 1) / 2;
            if (end >= _ends[parent]) break;
            _ends[i] = _ends[parent];
            _jobs[i] = _jobs[parent];
            i = parent;
        }
        _ends[i] = end;
        _jobs[i] = job;
    }

    private int Pop()
    {
        int first = _jobs[0], count = --_inService;
        double end = _ends[count];
        int job = _jobs[count], i = 0;
        for (int child = 1; child < count; child = 2 * i + 1)
        {
            if (child + 1 < count && _ends[child + 1] < _ends[child]) child++;
            if (end <= _ends[child]) break;
            _ends[i] = _ends[child];
            _jobs[i] = _jobs[child];
            i = child;
        }
        _ends[i] = end;
        _jobs[i] = job;
        return first;
    }
}

/// <summary>Sums at a time; the difference of two covers the time between.</summary>
internal readonly record struct ServerTotals(long Picks, double JobTime, double BusyTime);

/// <summary>How a server meets a request.</summary>
internal enum ServerCondition : byte
{
    /// <summary>Works on it.</summary>
    Up,
    /// <summary>Refuses the connection.</summary>
    Down,
    /// <summary>Answers with an error at once: the black hole.</summary>
    FailsFast,
}
