namespace LoadBalancer.Balancing;

/// <summary>The pool of probe results and the hot-cold lexicographic rule. For one thread at a time.</summary>
internal sealed class PrequalPool
{
    private const int RecentMax = 128;       // probes whose outstanding counts give the quantile
    private const int CountMax = 1023;       // larger counts are alike
    private const double NetGain = 1;        // δ of the paper: how much more than its size the pool gains from a pick

    private struct Entry
    {
        internal Destination Destination;
        internal int Outstanding;
        internal long LatencyTicks;
        internal long ReceivedAt;
        internal int UsesLeft;
    }

    private readonly Entry[] _entries;
    private readonly PickRandom _random;
    private readonly long _ageMax;
    private readonly double _reuse, _removedPerPick, _hotQuantile;
    private readonly int[] _recent = new int[RecentMax];
    private readonly int[] _countOf = new int[CountMax + 1]; // how many of the recent have that outstanding count
    private int _recentNext, _recentCount;
    private int _count;
    private double _toRemove;
    private bool _removesWorst;

    internal PrequalPool(int destinations, PrequalOptions options, long timestampFrequency, PickRandom random)
    {
        int size = Math.Max(2, Math.Min(options.PoolMax, destinations / 2));
        _entries = new Entry[size];
        _random = random;
        _ageMax = (long)(options.AgeMax.TotalSeconds * timestampFrequency);
        _removedPerPick = options.RemovedPerPick;
        _hotQuantile = options.HotQuantile;
        // How often a result is used before the pool runs dry: probes that hit a destination already in the pool do not fill it.
        double gained = (1 - (double)size / Math.Max(1, destinations)) * options.ProbesPerPick - options.RemovedPerPick;
        _reuse = gained > 0 ? Math.Clamp((1 + NetGain) / gained, 1, size) : size;
    }

    /// <summary>Results at hand.</summary>
    internal int Count => _count;

    /// <summary>The largest outstanding count that is not hot.</summary>
    internal int ColdMax { get; private set; }

    internal void Add(Destination destination, in ProbeResult result, long now)
    {
        int outstanding = Math.Clamp(result.Outstanding, 0, CountMax);
        MoveQuantile(outstanding);
        int place = 0;
        while (place < _count && !ReferenceEquals(_entries[place].Destination, destination)) place++; // a newer answer replaces
        if (place == _entries.Length) place = Oldest();
        if (place == _count) _count++;
        double uses = Math.Floor(_reuse + _random.NextDouble());
        _entries[place] = new Entry { Destination = destination, Outstanding = outstanding, LatencyTicks = result.LatencyTicks, ReceivedAt = now, UsesLeft = (int)uses };
    }

    /// <summary>The best destination, charged with one more; null with fewer than two results.</summary>
    internal Destination? Take(Destination? exclude, long now)
    {
        for (int i = _count - 1; i >= 0; i--)
            if (now - _entries[i].ReceivedAt > _ageMax) RemoveAt(i);
        if (_count < 2) return null;

        int best = -1;
        for (int i = 0; i < _count; i++)
        {
            if (ReferenceEquals(_entries[i].Destination, exclude) || _entries[i].Destination.IsFull || _entries[i].Destination.IsHeld(now)) continue;
            if (best < 0 || IsBetter(_entries[i], _entries[best])) best = i;
        }
        if (best < 0) return null;
        Destination picked = _entries[best].Destination;
        _entries[best].Outstanding++;
        if (--_entries[best].UsesLeft <= 0) RemoveAt(best);

        for (_toRemove += _removedPerPick; _toRemove >= 1; _toRemove--)
        {
            if (_count == 0) continue;
            RemoveAt(_removesWorst ? Worst() : Oldest());
            _removesWorst = !_removesWorst;
        }
        return picked;
    }

    // Cold before hot; the cold by latency, the hot by outstanding count.
    private bool IsBetter(in Entry a, in Entry b)
    {
        bool isHot = a.Outstanding > ColdMax;
        if (isHot != b.Outstanding > ColdMax) return !isHot;
        return isHot ? a.Outstanding < b.Outstanding : a.LatencyTicks < b.LatencyTicks;
    }

    private int Worst()
    {
        int worst = 0;
        for (int i = 1; i < _count; i++)
            if (IsBetter(_entries[worst], _entries[i])) worst = i;
        return worst;
    }

    private int Oldest()
    {
        int oldest = 0;
        for (int i = 1; i < _count; i++)
            if (_entries[i].ReceivedAt < _entries[oldest].ReceivedAt) oldest = i;
        return oldest;
    }

    private void RemoveAt(int i) => _entries[i] = _entries[--_count];

    private void MoveQuantile(int outstanding)
    {
        if (_recentCount == RecentMax) _countOf[_recent[_recentNext]]--;
        else _recentCount++;
        _recent[_recentNext] = outstanding;
        _recentNext = (_recentNext + 1) % RecentMax;
        _countOf[outstanding]++;
        int rank = (int)Math.Ceiling(_hotQuantile * _recentCount), count = 0, value = 0;
        while ((count += _countOf[value]) < rank) value++;
        ColdMax = value;
    }
}
