using LoadBalancer.Core.AccessLog;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Core.Metrics;

/// <summary>
/// What one loop has served. Its thread alone writes, without locks or atomic additions; whoever asks for metrics adds the loops up. Rows are made by the loop when they are first
/// needed, so that those of different loops do not share cache lines.
/// </summary>
internal sealed class LoopTraffic
{
    private readonly ListenerSnapshot[] _listeners;
    private readonly RouteSnapshot[] _routes;
    private readonly long[] _bounds;
    private readonly RequestCounts?[] _requests; // by listener and route, of which the last is none
    private EndCounts? _ends;
    private ConnectionCounts? _connections;

    private sealed class EndCounts
    {
        internal readonly long[] ByReason = new long[Enum.GetValues<EndReason>().Length];
    }

    private sealed class ConnectionCounts(int listeners)
    {
        internal readonly long[] Accepted = new long[listeners], Open = new long[listeners];
    }

    internal LoopTraffic(ProxySnapshot snapshot, TimeProvider time)
    {
        _listeners = snapshot.Listeners;
        _routes = snapshot.Routes;
        _bounds = DurationCounts.BoundsOf(time);
        _requests = new RequestCounts?[_listeners.Length * (_routes.Length + 1)];
    }

    internal long[] Bounds => _bounds;

    /// <summary>A request has ended.</summary>
    // Hot path: per request. 0 allocations after the first of its route.
    internal void Note(ListenerSnapshot listener, RouteSnapshot? route, CompletionRecord record) =>
        (_requests[listener.Index * (_routes.Length + 1) + (route?.Index ?? _routes.Length)] ??= new RequestCounts()).Note(record, _bounds);

    /// <summary>A request or a connection has ended for that reason.</summary>
    internal void NoteEnd(EndReason reason) => Increment((_ends ??= new EndCounts()).ByReason, (int)reason, 1);

    internal void NoteAccepted(ListenerSnapshot listener) => Increment(Connections.Accepted, listener.Index, 1);

    /// <summary>A connection, or one of its stages, has begun (1) or ended (-1).</summary>
    internal void NoteOpen(ListenerSnapshot listener, int change) => Increment(Connections.Open, listener.Index, change);

    internal void AddTo(TrafficSum sum)
    {
        for (int i = 0; i < _requests.Length; i++)
        {
            if (Volatile.Read(ref _requests[i]) is not { } counts) continue;
            int route = i % (_routes.Length + 1);
            sum.Add(_listeners[i / (_routes.Length + 1)].Name, route == _routes.Length ? null : _routes[route].Name, counts);
        }
        if (Volatile.Read(ref _ends) is { } ends)
            for (int i = 0; i < ends.ByReason.Length; i++) sum.Ends[i] += Volatile.Read(ref ends.ByReason[i]);
        if (Volatile.Read(ref _connections) is not { } connections) return;
        for (int i = 0; i < _listeners.Length; i++)
        {
            sum.Accepted[i] += Volatile.Read(ref connections.Accepted[i]);
            sum.Open[i] += Volatile.Read(ref connections.Open[i]);
        }
    }

    private ConnectionCounts Connections => _connections ??= new ConnectionCounts(_listeners.Length);

    private static void Increment(long[] counts, int index, long by) => Volatile.Write(ref counts[index], counts[index] + by);
}
