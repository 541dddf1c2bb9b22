using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Core.Metrics;

/// <summary>
/// What one loop has served. Its thread alone writes, without locks or atomic additions; whoever asks for metrics adds the loops up. Rows are made by the loop when they are first
/// needed, so that those of different loops do not share cache lines.
/// </summary>
internal sealed class LoopTraffic(TimeProvider time)
{
    private readonly Dictionary<(ListenerState, RouteState), Row> _byKey = []; // the loop's alone
    private readonly long[] _bounds = DurationCounts.BoundsOf(time);
    private Row[] _rows = []; // the same for readers: replaced, never changed
    private Row? _last; // most requests are like the one before
    private EndCounts? _ends;

    private sealed class EndCounts
    {
        internal readonly long[] ByReason = new long[Enum.GetValues<EndReason>().Length];
    }

    private sealed record Row(ListenerState Listener, RouteState Route, RequestCounts Counts);

    internal long[] Bounds => _bounds;

    /// <summary>A request has ended.</summary>
    // Hot path: per request. 0 allocations after the first of its route.
    internal void Note(ListenerSnapshot listener, RouteSnapshot? route, CompletionRecord record)
    {
        RouteState state = route?.State ?? RouteState.None;
        if (_last is not { } row || row.Listener != listener.State || row.Route != state) _last = row = RowOf(listener.State, state);
        row.Counts.Note(record, _bounds);
    }

    /// <summary>A request or a connection has ended for that reason.</summary>
    internal void NoteEnd(EndReason reason)
    {
        long[] counts = (_ends ??= new EndCounts()).ByReason;
        Volatile.Write(ref counts[(int)reason], counts[(int)reason] + 1);
    }

    /// <summary>Drops what was counted of listeners and routes that are gone. On the loop's thread.</summary>
    internal void Forget()
    {
        if (!Array.Exists(_rows, IsGone)) return;
        foreach (Row row in _rows)
            if (IsGone(row)) _byKey.Remove((row.Listener, row.Route));
        Volatile.Write(ref _rows, [.. _byKey.Values]);
        _last = null;
    }

    internal void AddTo(TrafficSum sum)
    {
        foreach (Row row in Volatile.Read(ref _rows))
            if (row.Listener.Current is { } listener) sum.Add(listener.Name, row.Route.Name, row.Counts);
        if (Volatile.Read(ref _ends) is not { } ends) return;
        for (int i = 0; i < ends.ByReason.Length; i++) sum.Ends[i] += Volatile.Read(ref ends.ByReason[i]);
    }

    private Row RowOf(ListenerState listener, RouteState route)
    {
        if (_byKey.TryGetValue((listener, route), out Row? row)) return row;
        _byKey.Add((listener, route), row = new Row(listener, route, new RequestCounts()));
        Volatile.Write(ref _rows, [.. _byKey.Values]);
        return row;
    }

    private static bool IsGone(Row row) => row.Route.IsGone || row.Listener.Current is null;
}
