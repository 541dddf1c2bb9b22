namespace LoadBalancer.Simulation;

/// <summary>
/// A server in virtual time. Work is measured by a clock that runs as fast as each request in service is served, so a request ends when
/// the clock has advanced by its demand, whoever comes and goes meanwhile; the next to end is the top of a heap.
/// </summary>
internal sealed class Server
{
    private readonly bool _isSharing;
    private readonly int _cores;
    private double _speed;          // seconds of work in a nanosecond
    private double _clock;          // seconds of work
    private double _rate;           // of the clock, in a nanosecond
    private long _updatedAt;
    private double[] _ends = new double[16]; // heap of clock times
    private int[] _jobs = new int[16];
    private int _serving;
    private (int Job, double Demand)[] _line = new (int, double)[16]; // ring of those who wait
    private int _lineFrom, _waiting;

    internal Server(ServerModel model, long now)
    {
        _isSharing = model.Discipline == ServiceDiscipline.ProcessorSharing;
        _cores = model.Cores;
        _updatedAt = now;
        SetSpeed(model.Speed, now);
    }

    /// <summary>Requests here.</summary>
    internal int Count => _serving + _waiting;

    /// <summary>Nanoseconds times requests here, and times cores in use, since <see cref="ResetAreas"/>.</summary>
    internal double CountArea { get; private set; }

    /// <summary>See <see cref="CountArea"/>.</summary>
    internal double BusyArea { get; private set; }

    internal int CountMax { get; private set; }

    internal void ResetAreas(long now)
    {
        Advance(now);
        (CountArea, BusyArea, CountMax) = (0, 0, Count);
    }

    internal void SetSpeed(double speed, long now)
    {
        Advance(now);
        _speed = speed / Simulator.TicksPerSecond;
        SetRate();
    }

    internal void Begin(int job, double demand, long now)
    {
        Advance(now);
        if (_isSharing || _serving < _cores) Push(_clock + demand, job);
        else
        {
            if (_waiting == _line.Length) GrowLine();
            _line[(_lineFrom + _waiting++) & (_line.Length - 1)] = (job, demand);
        }
        CountMax = Math.Max(CountMax, Count);
        SetRate();
    }

    /// <summary>When the next request ends, if nothing changes.</summary>
    internal long NextEnd => _serving == 0 || _rate == 0 ? long.MaxValue : _updatedAt + Math.Max(0, (long)Math.Ceiling((_ends[0] - _clock) / _rate));

    /// <summary>Ends the request that is due, and gives it.</summary>
    internal int End(long now)
    {
        Advance(now);
        int job = _jobs[0];
        _clock = Math.Max(_clock, _ends[0]); // times are whole nanoseconds: the clock may be a little short
        Pop();
        if (_waiting > 0)
        {
            (int next, double demand) = _line[_lineFrom];
            _lineFrom = (_lineFrom + 1) & (_line.Length - 1);
            _waiting--;
            Push(_clock + demand, next);
        }
        if (_serving == 0) _clock = 0;
        SetRate();
        return job;
    }

    internal void Advance(long now)
    {
        double passed = now - _updatedAt;
        if (passed <= 0) return;
        _clock += _rate * passed;
        CountArea += passed * Count;
        BusyArea += passed * Math.Min(_serving, _cores);
        _updatedAt = now;
    }

    private void SetRate() => _rate = _isSharing && _serving > _cores ? _speed * _cores / _serving : _speed;

    private void Push(double end, int job)
    {
        if (_serving == _ends.Length)
        {
            Array.Resize(ref _ends, 2 * _serving);
            Array.Resize(ref _jobs, 2 * _serving);
        }
        int i = _serving++;
        for (; i > 0 && _ends[(i - 1) / 2] > end; i = (i - 1) / 2) (_ends[i], _jobs[i]) = (_ends[(i - 1) / 2], _jobs[(i - 1) / 2]);
        (_ends[i], _jobs[i]) = (end, job);
    }

    private void Pop()
    {
        double end = _ends[--_serving];
        int job = _jobs[_serving], i = 0;
        while (2 * i + 1 < _serving)
        {
            int child = 2 * i + 1;
            if (child + 1 < _serving && _ends[child + 1] < _ends[child]) child++;
            if (_ends[child] >= end) break;
            (_ends[i], _jobs[i]) = (_ends[child], _jobs[child]);
            i = child;
        }
        (_ends[i], _jobs[i]) = (end, job);
    }

    private void GrowLine()
    {
        var line = new (int, double)[2 * _line.Length];
        for (int i = 0; i < _waiting; i++) line[i] = _line[(_lineFrom + i) & (_line.Length - 1)];
        (_line, _lineFrom) = (line, 0);
    }
}
