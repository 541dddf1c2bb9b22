namespace LoadBalancer.Simulation.Engine;

/// <summary>Something that happens at a time. Events of one time happen in the order they were pushed.</summary>
internal readonly record struct SimEvent(long Time, long Sequence, EventKind Kind, int Subject, int Detail);

internal enum EventKind : byte
{
    /// <summary>A request reaches its server. Subject: job.</summary>
    Deliver,
    /// <summary>An answer reaches the balancer. Subject: job.</summary>
    Answer,
    /// <summary>A balancer waits no longer. Subject: job; detail: its generation.</summary>
    Timeout,
    /// <summary>A probe reaches its server. Subject: probe.</summary>
    ProbeAtServer,
    /// <summary>The answer to a probe reaches the balancer. Subject: probe.</summary>
    ProbeAnswer,
    /// <summary>A process that changes a server's speed takes its next step. Subject: process.</summary>
    Speed,
    /// <summary>A step of the timetable. Subject: index into it.</summary>
    Timetable,
    /// <summary>A server that started cold gets warmer. Subject: server; detail: its generation and step.</summary>
    Warmer,
}

/// <summary>Binary heap of events. Grows to the most that are ever pending, then allocates nothing.</summary>
internal sealed class EventHeap
{
    private SimEvent[] _events = new SimEvent[256];
    private int _count;
    private long _sequence;

    /// <summary>When the next event is; <see cref="long.MaxValue"/> without any.</summary>
    internal long NextTime => _count == 0 ? long.MaxValue : _events[0].Time;

    internal void Push(long time, EventKind kind, int subject, int detail = 0)
    {
        if (_count == _events.Length) Array.Resize(ref _events, _count * 2);
        var added = new SimEvent(time, _sequence++, kind, subject, detail);
        int i = _count++;
        while (i > 0)
        {
            int parent = (i - 1) / 2;
            if (!IsBefore(added, _events[parent])) break;
            _events[i] = _events[parent];
            i = parent;
        }
        _events[i] = added;
    }

    internal SimEvent Pop()
    {
        SimEvent first = _events[0], last = _events[--_count];
        int i = 0;
        for (int child = 1; child < _count; child = 2 * i + 1)
        {
            if (child + 1 < _count && IsBefore(_events[child + 1], _events[child])) child++;
            if (!IsBefore(_events[child], last)) break;
            _events[i] = _events[child];
            i = child;
        }
        _events[i] = last;
        return first;
    }

    private static bool IsBefore(in SimEvent a, in SimEvent b) => a.Time < b.Time || (a.Time == b.Time && a.Sequence < b.Sequence);
}
